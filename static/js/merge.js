// What changes seldom comes from the page itself, asked for again: its parts marked `data-merge` take over what is new.
import { all, handOn } from './dom.js'
import { page } from './page.js'

const APART = 1500 // milliseconds between two askings
let due = null
let last = -APART

export function refresh() {
  due ??= setTimeout(fetchPage, Math.max(0, last + APART - performance.now()))
}

async function fetchPage() {
  due = null
  last = performance.now()
  const fresh = await page(location.pathname)
  if (!fresh) return // it stays as it is, and is asked for again later
  for (const place of all('[data-merge]')) {
    const news = fresh.getElementById(place.id)
    if (news) merge(place, news)
  }
  document.dispatchEvent(new Event('merged'))
}

// Make `old` like `news`, node by node. Rows with the same `data-id` stay themselves; `data-keep` is never touched, and
// what a person opened stays open.
export function merge(old, news) {
  if (old.isEqualNode(news) || old.matches('[data-keep]')) return
  const active = document.activeElement
  attributes(old, news)
  const known = new Map([...old.children].filter((row) => row.dataset.id).map((row) => [row.dataset.id, row]))
  let at = old.firstChild
  for (const next of [...news.childNodes]) {
    const same = next.dataset?.id ? known.get(next.dataset.id) : fits(at, next) ? at : null
    if (!same) { old.insertBefore(document.importNode(next, true), at); continue }
    if (same === at) at = at.nextSibling
    else old.insertBefore(same, at)
    if (same.nodeType === Node.ELEMENT_NODE) merge(same, next)
    else if (same.data !== next.data) same.data = next.data
  }
  while (at) {
    const gone = at
    at = at.nextSibling
    if (gone.nodeType === Node.ELEMENT_NODE) handOn(gone)
    gone.remove()
  }
  if (active !== document.activeElement && old.contains(active)) active.focus({ preventScroll: true })
}

const fits = (at, next) => at && at.nodeName === next.nodeName && !at.dataset?.id

function attributes(old, news) {
  for (const { name, value } of news.attributes) {
    if (name !== 'open' && old.getAttribute(name) !== value) old.setAttribute(name, value)
  }
  for (const { name } of [...old.attributes]) if (name !== 'open' && !news.hasAttribute(name)) old.removeAttribute(name)
}
