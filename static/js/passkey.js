// A passkey: asks the server for a challenge, lets the device sign it, and sends the answer as an ordinary form.
import { post } from './quiet.js'

export function passkey() {
  if (!window.PublicKeyCredential) return
  for (const form of document.querySelectorAll('[data-passkey]')) {
    form.hidden = false
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      if (!form.dataset.busy) answer(form)
    })
  }
  for (const without of document.querySelectorAll('[data-without-passkeys]')) without.hidden = true
}

async function answer(form) {
  form.dataset.busy = 'yes'
  const problem = form.querySelector('[data-problem]')
  problem.hidden = true
  const asked = await post(form.dataset.options, {})
  try {
    if (!asked.ok) throw new Error(asked.message)
    const credential = await ask(form.dataset.passkey, asked.options)
    form.elements.credential.value = JSON.stringify(credential)
    form.submit()
  } catch (error) { // the device's own words are technical, and in the language of the device
    problem.textContent = asked.ok || !error.message ? form.dataset.failed : error.message
    problem.hidden = false
  }
  delete form.dataset.busy
}

async function ask(kind, options) {
  const publicKey = { ...options, challenge: bytes(options.challenge) }
  if (options.user) publicKey.user = { ...options.user, id: bytes(options.user.id) }
  for (const list of ['allowCredentials', 'excludeCredentials']) {
    if (options[list]) publicKey[list] = options[list].map((held) => ({ ...held, id: bytes(held.id) }))
  }
  const made = await navigator.credentials[kind]({ publicKey })
  const response = {}
  for (const part of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (made.response[part]) response[part] = text(made.response[part])
  }
  return { id: made.id, rawId: text(made.rawId), type: made.type, response }
}

function bytes(base64url) {
  const plain = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0))
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer))
  return btoa(plain).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
