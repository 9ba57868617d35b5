// Waves that came to an end without a network: numbers only, kept on this device until they can go along. Each has a key,
// so that it counts once however often it is sent.
import { token } from './leave.js'

const NAME = 'samen-golven'
const MOST = 20
const HERE = 'samen-hier' // a cache with one thing in it: that somebody is signed in on this device, and their language

export const signedIn = async () => Boolean(await self.caches?.match('/hulp/hier', { cacheName: HERE }))

const kept = () => { try { return JSON.parse(localStorage.getItem(NAME)) ?? [] } catch { return [] } }
const write = (rides) => { try { localStorage.setItem(NAME, JSON.stringify(rides)) } catch { /* a browser may forbid it */ } }

const LATER = [401, 403, 429] // who has to sign in, a form that stood open too long, too many at once: the next page sends it

// What a form posts, by script: the answer, the status alone for a refusal, null without a network or with a broken server.
export async function post(address, fields) {
  try {
    const body = new URLSearchParams({ ...fields, csrf_token: token() })
    const answer = await fetch(address, { method: 'POST', body, headers: { Accept: 'application/json' } })
    return answer.ok ? await answer.json() : answer.status < 500 ? { status: answer.status } : null
  } catch { return null }
}

export async function keep({ key, minutes, began, lasted, before, after, outcome }) {
  write([...kept().filter((ride) => ride.key !== key), { key, minutes, began, lasted, before, after, outcome }].slice(-MOST))
  await send()
}

// One after the other; what the server would not take is not sent again.
export async function send() {
  for (const { began, ...ride } of token() ? kept() : []) {
    const answer = await post('/hulp/meegebracht', { ...ride, ago: Math.max(ride.lasted, Math.round((Date.now() - began) / 1000)) })
    if (!answer || LATER.includes(answer.status)) return
    write(kept().filter(({ key }) => key !== ride.key))
  }
}
