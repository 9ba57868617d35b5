// What one can do with a message: one panel, opened at any row. Escape closes it, and brings the focus back.
import { amend, reply } from './message-about.js'
import { change, list, page, react, vanish, words } from './message-row.js'
import { make } from './mark.js'
import { post } from './quiet.js'
import { view } from './view.js'

const EDITABLE = 11 * 60000 // moments are kept to the minute
const NO_TRACE = 31 * 60000
let at = null // the row it is open at
let panel

export function menu(tell) {
  panel = document.querySelector('[data-actions]')
  panel.hidden = false
  panel.popover = 'auto'
  panel.addEventListener('submit', async (event) => {
    const form = event.target
    if (!form.matches('[data-react], [data-withdraw]')) return
    event.preventDefault()
    const target = at
    const answer = await post(form.action, new FormData(form))
    panel.hidePopover()
    if (!answer.ok) return tell(answer.message)
    if (answer.reactions) react(target, answer.reactions)
    else change({ seq: target.dataset.seq, status: 'withdrawn', trace: Date.now() - new Date(target.dataset.at) > NO_TRACE })
  })
  document.addEventListener('hidden', hide)
  view()
  panel.addEventListener('click', (event) => {
    const link = event.target.closest('[data-reply], [data-change], [data-close], [data-flag]')
    if (!link) return
    event.preventDefault()
    panel.hidePopover()
    if (link.matches('[data-reply]')) reply(at)
    if (link.matches('[data-change]')) amend(at)
  })
}

export function open(row, opener) {
  at = row
  const own = row.dataset.alias === page.alias
  const age = Date.now() - new Date(row.dataset.at)
  for (const name of panel.querySelectorAll('[data-of]')) name.textContent = own ? words().own : row.dataset.alias
  panel.querySelector('[data-of-text]').textContent = row.querySelector('.msg__text').textContent.slice(0, 90)
  for (const part of panel.querySelectorAll('[data-others]')) part.hidden = own
  panel.querySelector('[data-own]').hidden = !own
  for (const part of panel.querySelectorAll('details')) part.open = false
  const person = panel.querySelector('[data-hide="person"]')
  person.hidden = row.classList.contains('msg--lead')
  person.elements.alias.value = row.dataset.alias
  panel.querySelector('[data-hide="message"]').elements.seq.value = row.dataset.seq
  panel.querySelector('[data-change]').hidden = !own || age > EDITABLE
  for (const form of panel.querySelectorAll('form')) form.action = aim(form.getAttribute('action'), row.dataset.seq)
  for (const link of panel.querySelectorAll('a[href]')) link.href = aim(link.getAttribute('href'), row.dataset.seq)
  const mine = (row.dataset.mine ?? '').split(' ')
  for (const form of panel.querySelectorAll('[data-react]')) {
    const on = mine.includes(form.elements.kind.value)
    form.elements.on.value = on ? '0' : '1'
    form.querySelector('button').setAttribute('aria-pressed', String(on))
  }
  panel.showPopover({ source: opener })
  beside(opener)
  panel.querySelector('button:not([hidden] *), a:not([hidden])')?.focus()
}

// One does not want to see a message any more, or anything of who wrote it (view.js sent it).
function hide({ detail: { seq, alias } }) {
  panel.hidePopover()
  if (alias) words().hiddenAliases = JSON.stringify([...JSON.parse(words().hiddenAliases || '[]'), alias])
  const gone = [...list().querySelectorAll('[data-seq]')].filter((row) => (alias ? row.dataset.alias === alias : Number(row.dataset.seq) === seq))
  const back = make('a', { href: `${list().dataset.url}/verborgen` }, words().hiddenBack)
  if (gone.length) gone.at(-1).after(make('li', { class: 'hid small muted', role: 'status' }, `${words().hid} `, back))
  gone.forEach(vanish)
  back.focus()
}

// The address of the same deed for another message.
const aim = (address, seq) => address.replace(/(bericht\/|bericht=|antwoord=|wijzig=|#b)\d+/g, `$1${seq}`)

// On a wide screen it opens beside the row; on a phone it comes from below (client.css).
function beside(opener) {
  panel.style.top = panel.style.left = ''
  if (matchMedia('(max-width: 40em)').matches) return
  const [from, size] = [opener.getBoundingClientRect(), panel.getBoundingClientRect()]
  panel.style.top = `${Math.max(8, Math.min(from.bottom + 4, innerHeight - size.height - 8))}px`
  panel.style.left = `${Math.max(8, Math.min(from.right - size.width, innerWidth - size.width - 8))}px`
}
