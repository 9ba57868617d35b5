// What one does with what others wrote, without leaving the conversation: report it, hide it for oneself.
// Without this module these are ordinary links and forms.
import { post } from './quiet.js'

export function view() {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-flag]')
    const dialog = document.querySelector('[data-flag-dialog]')
    if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    ask(dialog, link)
  })
  document.addEventListener('submit', async (event) => {
    const form = event.target
    if (form.matches('form[data-hide]')) hide(event, form)
    else if (form.closest('[data-flag-ask]') && form.matches('.flagform')) report(event, form)
  })
}

function ask(dialog, link) {
  const form = dialog.querySelector('.flagform')
  form.action = link.href
  dialog.querySelector('[data-flag-ask]').hidden = false
  dialog.querySelector('[data-flag-thanks]').hidden = true
  dialog.querySelector('[data-flag-problem]').hidden = true
  dialog.showModal()
}

async function report(event, form) {
  event.preventDefault()
  const dialog = form.closest('dialog')
  if (form.dataset.busy) return
  form.dataset.busy = 'yes'
  const fields = new FormData(form)
  fields.set('reason', event.submitter.value)
  const answer = await post(form.action, fields)
  delete form.dataset.busy
  if (!answer.ok) {
    const problem = dialog.querySelector('[data-flag-problem]')
    problem.textContent = answer.message
    problem.hidden = false
    return
  }
  dialog.querySelector('[data-flag-said]').textContent = answer.said
  dialog.querySelector('[data-flag-ask]').hidden = true
  const thanks = dialog.querySelector('[data-flag-thanks]')
  thanks.hidden = false
  thanks.querySelector('h2').focus()
}

async function hide(event, form) {
  event.preventDefault()
  if (form.dataset.busy) return
  form.dataset.busy = 'yes'
  const answer = await post(form.action, new FormData(form))
  delete form.dataset.busy
  if (!answer.ok) {
    const place = document.querySelector('[data-notice]')
    if (place) place.textContent = answer.message
    return
  }
  const { seq, alias } = form.elements
  document.dispatchEvent(new CustomEvent('hidden', { detail: { seq: Number(seq?.value ?? 0), alias: alias?.value ?? '' } }))
}
