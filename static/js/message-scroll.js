// Where one is in the conversation: what is new, how far one has read, and what was said before.
import { ask } from './live.js'
import { make } from './mark.js'
import { fill, list, page, row, words } from './message-row.js'

const box = () => document.querySelector('.talk')
const line = () => list().querySelector('[data-unread]')
const jump = () => document.querySelector('[data-jump]')
let atEnd = true
let fresh = 0 // messages of others that were not read yet
let far = false // the first of them stands before what this page holds
let readTo = 0 // how far they had been read when the page came
let told = 0 // how far we have said that we read
let head

export function scrolling(given) {
  head = given
  const still = document.querySelector('[data-unread-count]')
  fresh = Number(still?.dataset.unreadCount ?? 0)
  far = Boolean(fresh && !line() && list().querySelector('[data-earlier]'))
  readTo = Number(still?.dataset.read ?? 0)
  still?.remove()
  document.querySelector('[data-still]')?.remove()
  box().addEventListener('scroll', look, { passive: true })
  document.addEventListener('visibilitychange', look)
  new ResizeObserver(() => { if (atEnd) toEnd() }).observe(box()) // a taller step must not hide the last words
  jump().addEventListener('click', go)
  list().addEventListener('click', (event) => {
    if (event.target.closest('[data-earlier] a')) { event.preventDefault(); earlier() }
  })
  const target = /^#(b|onderwerp-)/.test(location.hash) && document.getElementById(location.hash.slice(1))
  if (target || line()) show(target || line())
  else toEnd()
  requestAnimationFrame(() => {
    look()
    const top = list().querySelector('[data-earlier]')
    if (top) new IntersectionObserver(([seen]) => { if (seen.isIntersecting && scrolled) earlier() }, { rootMargin: '200px' }).observe(top)
  })
}

let scrolled = false
function look() {
  scrolled ||= box().scrollTop > 0
  atEnd = box().scrollHeight - box().scrollTop - box().clientHeight < 120
  if (atEnd && !far) read()
  label()
}

// Only what was in sight has been read: the page is looked at, and stands at the end.
export function read() {
  if (document.visibilityState !== 'visible' || !atEnd || far) return
  fresh = 0
  label()
  if (head() <= told) return
  told = head()
  ask('room.read', { room: page.room, seq: told }).catch(() => { told = 0 })
}

function label() {
  const where = side()
  jump().hidden = atEnd && !far
  jump().classList.toggle('jump--up', Boolean(fresh) && where < 0)
  jump().querySelector('[data-jump-text]').textContent = fresh && where ? fill(words().fresh, { n: fresh }) : words().toEnd
}

// Where the first new message stands: before (-1), after (1) or in (0) what is in sight.
function side() {
  if (far) return -1
  if (!line()) return 0
  const [at, seen] = [line().getBoundingClientRect(), box().getBoundingClientRect()]
  return at.bottom < seen.top ? -1 : at.top > seen.bottom - 40 ? 1 : 0
}

async function go() {
  while (far && await earlier()) { /* until the first new one is on the page */ }
  far = false
  if (fresh && side()) show(line())
  else toEnd()
  look()
  if (jump().hidden) document.getElementById('schrijf').focus({ preventScroll: true })
}

function show(target) {
  target.scrollIntoView({ block: 'start' })
  box().scrollTop -= 56
}

export function toEnd() {
  box().scrollTop = box().scrollHeight
}

// New messages came: stay at the end if we were there; else say how many, and mark where they begin.
export function came(rows, mine) {
  const others = rows.filter((made) => made.dataset.alias !== page.alias)
  if (others.length && !(atEnd && document.visibilityState === 'visible')) {
    if (!fresh || !line()) {
      line()?.remove()
      others[0].before(make('li', { class: 'unread', id: 'nieuw', 'data-unread': '' }, make('h3', { class: 'tiny' }, words().new)))
    }
    fresh += others.length
  }
  if (atEnd || mine) toEnd()
  read()
  label()
}

// What was said before: put in front, while what is looked at stays where it is. Nobody needs to hear it read aloud.
let loading = null
export function earlier() {
  loading ??= load().finally(() => { loading = null })
  return loading
}

async function load() {
  const top = list().querySelector('[data-earlier]')
  const first = list().querySelector('[data-seq]')
  if (!top || !first) return false
  let items
  try {
    const response = await fetch(`${list().dataset.url}?voor=${first.dataset.seq}`, { headers: { Accept: 'application/json' } })
    items = (await response.json()).items ?? []
  } catch { return false }
  const log = list().parentElement
  log.ariaLive = 'off'
  const [height, from] = [box().scrollHeight, box().scrollTop]
  top.after(...items.map(row).filter(Boolean))
  box().scrollTop = from + box().scrollHeight - height
  const begins = far && items.find((item) => item.seq > readTo && item.alias !== page.alias)
  if (begins && items[0].seq <= readTo + 1) {
    list().querySelector(`[data-seq="${begins.seq}"]`)?.before(make('li', { class: 'unread', id: 'nieuw', 'data-unread': '' }, make('h3', { class: 'tiny' }, words().new)))
    far = false
  }
  if (!items.length || items[0].seq <= 1) {
    if (top.contains(document.activeElement)) list().querySelector('[data-more]')?.focus({ preventScroll: true })
    top.remove()
    far = false
  }
  setTimeout(() => { log.ariaLive = null }, 1000)
  return items.length > 0
}
