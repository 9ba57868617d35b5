// How the room stands: shut, locked, slow, or without staff. Said above the writing field before somebody is refused.
import { live } from './live.js'

const page = document.body.dataset
const line = (name) => document.querySelector(`[data-climate-${name}]`)
const topics = () => import('./topics.js') // fetched where there are any
let timer

export function climate() {
  const box = document.querySelector('[data-climate]')
  live().on('room.climate', (now) => { if (now.room === page.room) show(now) })
  live().on('room.topic', (topic) => { if (topic.room === page.room) topics().then((part) => part.divide(topic)) })
  document.addEventListener('joined', ({ detail }) => { if (detail.climate) show(detail.climate) })
  if (document.querySelector('[data-topic-from]')) topics() // it begins by itself
  again(box.dataset.changesIn === '' ? null : Number(box.dataset.changesIn))
}

function show(now) {
  say('shut', !now.open, { when: moment(now.opens_at) })
  say('locked', now.locked && now.open, {})
  say('calm', now.seconds_calm > 0, { n: now.seconds_between })
  say('slow', now.slow_seconds > 0 && now.seconds_calm === 0, { n: now.slow_seconds })
  say('away', Boolean(now.staff_back_at), { when: moment(now.staff_back_at) })
  again(now.changes_in)
}

function say(name, on, words) {
  const place = line(name)
  const text = place.querySelector('[data-text]')
  if (text && on) {
    const sentence = Object.entries(words).reduce((said, [key, value]) => said.replace(`{${key}}`, value), text.dataset.text)
    if (text.textContent !== sentence) text.textContent = sentence
  }
  if (place.hidden === on) place.hidden = !on
}

// Hours turn by the clock, and nobody sends word of it: ask again just after. A sleeping screen asks when it wakes.
function again(seconds) {
  clearTimeout(timer)
  if (seconds === null) return
  const wait = Math.min((seconds + 1) * 1000 + Math.random() * 3000, 6 * 3600 * 1000)
  timer = setTimeout(look, wait)
}

async function look() {
  try {
    const answer = await fetch(document.querySelector('[data-climate]').dataset.climate, { headers: { Accept: 'application/json' } })
    if (answer.ok) show(await answer.json())
  } catch { again(60) }
}

function moment(at) {
  if (!at) return ''
  const lang = document.documentElement.lang
  const when = new Date(at)
  const day = when.toLocaleDateString(lang, { weekday: 'short', day: 'numeric', month: 'short' }).replaceAll('.', '').replace(',', '')
  const time = when.toLocaleTimeString(lang, { hour: '2-digit', minute: '2-digit', hour12: false })
  return `${day} ${lang === 'nl' ? time.replace(':', '.') : time}`
}
