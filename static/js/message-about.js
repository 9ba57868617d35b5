// What a message is about: an answer to another, a change of one's own, a mask its writer agrees to. Fetched on first use.
import { rowOf, say, short, url, words } from './message-row.js'
import { form, giveBack, hooks, keep, send } from './message-send.js'
import { post } from './quiet.js'

const field = form().elements.text
const card = document.querySelector('[data-preview]')
let before = '' // what stood in the field when a change began
let offered = null // what goes out as soon as its writer agrees to the mask

export const reply = (target) => about('reply', target)
export const amend = (target) => about('change', target)
export const none = () => about(null)

// Answer a message, or change one's own; null for neither.
function about(mode, target) {
  if (form().dataset.changing && field.value !== before) { field.value = before; fit() }
  const text = target?.querySelector('.msg__text').textContent ?? ''
  if (mode === 'change') { form().dataset.changing = target.dataset.seq; before = field.value }
  else { delete form().dataset.changing; fit() }
  form().elements.reply_to.value = mode === 'reply' ? target.dataset.seq : ''
  const line = form().querySelector('[data-about]')
  line.hidden = !mode
  line.querySelector('[data-about-who]').textContent = mode === 'change' ? words().changing : target?.dataset.alias ?? ''
  line.querySelector('[data-about-text]').textContent = short(text)
  if (mode === 'change') { field.value = text; fit() }
  if (mode) field.focus()
}

const fit = () => field.dispatchEvent(new Event('input')) // as tall as what stands in it, and kept as a draft

export async function change(wanted) {
  const answer = await post(url(`bericht/${wanted.seq}/wijzig`), { text: wanted.text, ...(wanted.mask_ok ? { mask_ok: '1' } : {}) })
  if (!answer.ok) return hooks.tell(answer.message)
  if (answer.status === 'preview') return offer(wanted, answer.text)
  if (answer.status === 'held') {
    hooks.tell(words().changeHeld)
    const target = rowOf(wanted.seq)
    if (target) say(target, 'wait', words().changeWaits)
  } else hooks.changed({ seq: wanted.seq, status: 'edited', text: answer.text })
  if (answer.crisis) document.querySelector('[data-crisis]').hidden = false
  none()
}

export function offer(entry, text) {
  offered = entry
  card.querySelector('[data-preview-text]').textContent = text
  card.hidden = false
  if (entry.row) entry.row.hidden = true
  card.querySelector('button').focus()
  hooks.toEnd()
}

card.querySelector('[data-preview-form]').addEventListener('submit', (event) => {
  if (!offered) return // the page came with a preview: let the form go by itself
  event.preventDefault()
  const agreed = offered
  offered = null
  card.hidden = true
  agreed.mask_ok = true
  field.focus()
  if (!agreed.row) return change(agreed)
  keep()
  agreed.row.hidden = false
  send(agreed)
})

card.querySelector('[data-preview-edit]').addEventListener('click', (event) => {
  event.preventDefault()
  card.hidden = true
  if (offered?.row) giveBack(offered)
  offered = null
  field.focus()
})
