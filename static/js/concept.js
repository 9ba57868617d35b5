// What is written at a step is kept while one writes, a moment after the last key. What could not be kept stays in this
// window (data-draft) and is tried again. What another screen wrote meanwhile is not written over: the form says what it
// stood on (`over`). Without this module the button keeps it.
import { token } from './leave.js'

const PAUSE = 800
const PATIENCE = 4000 // milliseconds that going on waits for what is still on its way

export function concept() {
  const form = document.querySelector('form[data-concept]')
  const said = form.querySelector('[data-concept-said]')
  const help = form.querySelector('[data-concept-help]')
  const { over } = form.elements
  const base = `over:${form.dataset.concept}:${form.elements.group.value}`
  let waiting = 0
  let sending = null
  let changed = false
  let gone = false

  const put = (text) => { if (said.textContent !== text) said.textContent = text }
  const fields = () => new URLSearchParams([...new FormData(form)].filter(([name]) => name !== 'csrf_token'))
  const soon = (wait = PAUSE) => { clearTimeout(waiting); waiting = setTimeout(keep, wait) }

  async function keep() {
    if (gone || sending || !changed) return
    changed = false
    const typed = new Map([...form.querySelectorAll('[data-draft]')].map((field) => [field, field.value]))
    sending = post(form.dataset.concept, fields())
    const answer = await sending
    sending = null
    if (gone) return
    if (!answer.ok) {
      put(answer.message || said.dataset.offline)
      if (answer.message === undefined) { changed = true; soon(10_000) } // no line: once more, later
      return
    }
    if (answer.at) put(said.dataset.saved.replace('{t}', answer.at))
    if (answer.mark) over.value = answer.mark
    if (answer.help && help) help.hidden = false
    for (const [field, value] of typed) if (field.value === value) sessionStorage.removeItem(`draft:${field.dataset.draft}`)
    if (!changed) return sessionStorage.removeItem(base)
    sessionStorage.setItem(base, over.value)
    soon()
  }

  form.addEventListener('input', () => {
    if (sessionStorage.getItem(base) === null) sessionStorage.setItem(base, over.value)
    changed = true
    soon()
  })
  form.addEventListener('submit', async (event) => {
    clearTimeout(waiting)
    if (!sending) { gone = true; return }
    event.preventDefault()
    event.stopImmediatePropagation()
    await Promise.race([sending, new Promise((late) => setTimeout(late, PATIENCE))])
    sending = null
    form.requestSubmit()
  }, { capture: true })
  addEventListener('online', () => soon(0))
  if (!back(form, () => { over.value = sessionStorage.getItem(base) ?? over.value; put(said.dataset.back); changed = true; soon() })) sessionStorage.removeItem(base)
}

// A draft that is still in this window is newer than what it was written on: what was kept has no draft any more.
function back(form, found) {
  let any = false
  for (const field of form.querySelectorAll('[data-draft]')) {
    const draft = sessionStorage.getItem(`draft:${field.dataset.draft}`)
    if (!draft || (draft === field.value && draft === field.defaultValue)) continue
    field.value = draft
    any = true
  }
  if (any) found()
  return any
}

async function post(address, body) {
  try {
    const response = await fetch(address, { method: 'POST', body, headers: { Accept: 'application/json', 'X-CSRF-Token': token() } })
    return await response.json()
  } catch { return { ok: false } }
}
