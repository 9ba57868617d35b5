// Help without a network. A worker keeps help now as nobody's page (sw.js); one's own plan is kept only on a device where
// somebody switched that on, in a cache of its own that goes when they leave.
import { all, one, put } from './dom.js'
import { send } from './rides.js'

const HERE = 'samen-hier' // says that somebody is signed in on this device, in which language and colours
const MINE = 'samen-mijn'
const PAGE = '/hulp/mijn'
let busy = Promise.resolve() // the plan on its way to the device: whoever switches that off waits for it

export async function offline() {
  if (document.body.dataset.loose === 'kept') return loose()
  if (!self.caches || !navigator.serviceWorker) return
  // The only address that a script may ever be loaded from by this policy: the browser lets no other be made.
  const policy = self.trustedTypes?.createPolicy('samen-worker', { createScriptURL: () => '/sw.js' })
  navigator.serviceWorker.register(policy ? policy.createScriptURL('') : '/sw.js').catch(() => { /* then without */ })
  if ('visitor' in document.documentElement.dataset) return
  busy = caches.has(MINE).then((on) => on && take())
  const { lang, dataset } = document.documentElement
  const here = await caches.open(HERE)
  await here.put('/hulp/hier', Response.json({ language: lang, theme: dataset.theme ?? '' }))
  await send()
  addEventListener('online', send)
  await busy
}

// On a page that came from the device: how its reader likes it, and where they wanted to go.
async function loose() {
  const found = await self.caches?.match('/hulp/hier', { cacheName: HERE })
  const { theme } = found ? await found.json() : {}
  if (theme) document.documentElement.dataset.theme = theme
  one('[data-elsewhere]').hidden = /^\/(hulp|plan)\b/.test(location.pathname)
  for (const link of all('.dock__act a')) link.href = location.pathname
}

// The switch on one's plan.
export async function keepPlan() {
  const box = one('[data-keep-plan]')
  if (!self.caches || !navigator.serviceWorker) return
  const button = one('[data-keep-switch]', box)
  const said = one('[data-keep-said]', box)
  const tell = async (text) => {
    const on = await caches.has(MINE)
    button.setAttribute('aria-checked', String(on))
    put(said, text ?? (on ? said.dataset.on : said.dataset.off))
  }
  await tell()
  box.hidden = false
  button.addEventListener('click', async () => {
    await busy
    const on = await caches.has(MINE)
    if (on) await caches.delete(MINE)
    await tell(on || await take() ? undefined : said.dataset.not)
  })
}

// One's own plan as it is now. Somebody who is not signed in any more keeps nothing here. The cache is opened first: if it
// is thrown away meanwhile, what arrives goes with it.
async function take() {
  const mine = await caches.open(MINE)
  try {
    const answer = await fetch(PAGE, { cache: 'no-store' })
    if (answer.ok && !answer.redirected) { await mine.put(PAGE, answer); return true }
    await caches.delete(MINE)
  } catch { /* without a network it stays as it was */ }
  if (!await mine.match(PAGE)) await caches.delete(MINE)
  return false
}
