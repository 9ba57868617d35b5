// Changing what stands on a page without taking it out of somebody's hands: only what changed, and focus is never lost.

export const one = (selector, root = document) => root.querySelector(selector)
export const all = (selector, root = document) => [...root.querySelectorAll(selector)]

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '')

export function put(element, text) {
  if (element && element.textContent !== String(text)) element.textContent = text
}

// The sentence an element carries in `data-text` (or another name), with these values in it.
export function say(element, values, name = 'text') {
  if (element) put(element, fill(element.dataset[name], values))
}

export function show(element, yes) {
  if (!element || element.hidden === !yes) return
  if (!yes) handOn(element)
  element.hidden = !yes
}

// Focus is about to go with this element: it moves to what stands nearest, so that the keyboard stays where one was.
export function handOn(element) {
  if (!element.contains(document.activeElement)) return
  const row = element.matches('li') && (element.nextElementSibling ?? element.previousElementSibling)
  const near = row && all('a, button, summary', row).find((control) => control.checkVisibility())
  const opener = element.parentElement?.closest('[data-pop]')?.firstElementChild
  const part = element.parentElement?.closest('section, aside, main')
  const heading = part && all('[tabindex="-1"]', part).find((h) => h.checkVisibility() && !element.contains(h))
  ;(near || opener || heading || one('main'))?.focus({ preventScroll: true })
}

// Make the rows of a list say `items`, in order: known ones (by `data-id`) stay the nodes they are.
export function keyed(list, items, id, make, update) {
  const active = document.activeElement
  const known = new Map([...list.children].map((row) => [row.dataset.id, row]))
  const wanted = new Set(items.map(id))
  for (const [name, row] of known) if (!wanted.has(name)) { handOn(row); row.remove() }
  let at = list.firstElementChild
  for (const item of items) {
    let row = known.get(id(item))
    if (!row) { row = make(item); row.dataset.id = id(item) }
    if (row === at) at = at.nextElementSibling
    else list.insertBefore(row, at)
    update(row, item)
  }
  if (active !== document.activeElement && list.contains(active)) active.focus({ preventScroll: true })
}

// One polite line for who listens instead of looks. What comes close together is said together.
const waiting = []
export function tell(name, values = {}) {
  const place = one('[data-said]')
  const text = place?.dataset[`${name}Said`]
  if (!text) return
  if (!waiting.length) setTimeout(() => { place.textContent = waiting.splice(0).join(' ') }, 700)
  const line = fill(text, values)
  if (!waiting.includes(line)) waiting.push(line)
}
