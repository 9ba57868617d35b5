// Forms that need no new page: sent in place, answered in place. Without this module they are ordinary forms.
import { token } from './leave.js'

export function quiet() {
  document.addEventListener('submit', async (event) => {
    const form = event.target
    if (!form.matches('form[data-quiet]')) return
    event.preventDefault()
    if (form.dataset.busy) return // a double click is one click
    form.dataset.busy = 'yes'
    const answer = await post(form.action, new FormData(form, event.submitter))
    delete form.dataset.busy
    told(form, answer)
    form.dispatchEvent(new CustomEvent('answered', { bubbles: true, detail: answer }))
  })
}

export async function post(action, fields) {
  const body = new URLSearchParams(fields instanceof FormData ? [...fields] : fields)
  try {
    const response = await fetch(action, { method: 'POST', body, headers: { Accept: 'application/json', 'X-CSRF-Token': token() } })
    return await response.json()
  } catch { return { ok: false, message: document.querySelector('[data-words]')?.dataset.failed ?? '' } }
}

function told(form, answer) {
  const place = form.querySelector('[data-saved]') ?? document.querySelector('[data-notice]')
  if (form.matches('[data-answer]') && answer.ok) {
    sessionStorage.removeItem(`draft:${form.querySelector('[data-draft]')?.dataset.draft}`)
    if (answer.crisis) location.assign(answer.location)
    const box = form.closest('[data-answering]')
    box.open = false
    box.dataset.answered = ''
    box.querySelector('summary').textContent = box.dataset.again
    box.querySelector('summary').focus()
    const said = document.querySelector('[data-said]') ?? document.querySelector('[data-notice]')
    if (said) said.textContent = box.dataset.saved
  } else if (!answer.ok && answer.code !== 'closed' && place) place.textContent = answer.message
}
