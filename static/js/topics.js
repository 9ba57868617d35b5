// A topic is a divider before the first message of it. Rows that come in above or below find theirs.
import { icon, make } from './mark.js'

const page = document.body.dataset
const topics = new Map() // by reference: title, and the number of its first message

for (const link of document.querySelectorAll('[data-topic-from]')) {
  topics.set(link.dataset.topicRef, { title: link.textContent, from: Number(link.dataset.topicFrom) })
}
const list = document.querySelector('[data-messages]')
if (list) new MutationObserver(place).observe(list, { childList: true })

// Said live: a topic begins now, in the place of one about which nobody said anything. Without a title it was taken away.
export function divide({ ref, title, from_seq: from }) {
  for (const [known, topic] of topics) if (known === ref || topic.from === from) remove(known)
  if (title) topics.set(ref, { title, from })
  place()
}

function remove(ref) {
  topics.delete(ref)
  document.querySelector(`[data-topic="${CSS.escape(ref)}"]`)?.remove()
}

function place() {
  const rows = [...list.querySelectorAll(':scope > [data-seq]')]
  const whole = !list.querySelector('[data-earlier]')
  for (const [ref, { title, from }] of topics) {
    if (document.querySelector(`[data-topic="${CSS.escape(ref)}"]`)) continue
    const at = rows.findIndex((row) => Number(row.dataset.seq) >= from)
    const line = make('li', { class: 'topic', 'data-topic': ref, id: `onderwerp-${ref}` }, make('h3', {}, icon('book'), title))
    if (at > 0 || (at === 0 && (whole || Number(rows[0].dataset.seq) === from))) rows[at].before(line)
    else if (at < 0 && from > Number(page.head)) list.append(line)
  }
}
