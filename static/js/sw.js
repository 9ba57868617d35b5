// Answers when there is no network: with help now, which then works as it stands. `KEPT`, written in front of this by the
// server, says what to keep; a new version of it replaces the old one whole. Nothing here is anybody's, but the plan of who
// asked for it on this device (offline.js).
const SHELL = `samen-los-${KEPT.version}`
const MINE = 'samen-mijn'
const HERE = 'samen-hier'
const PATIENCE = 4000 // milliseconds in which help must be there, with a network or without
const LEAVING = ['/weg', '/uit', '/wissen'] // what clears this browser goes by itself

self.addEventListener('install', (event) => event.waitUntil(take()))
self.addEventListener('activate', (event) => event.waitUntil(tidy()))
self.addEventListener('fetch', (event) => {
  const { request } = event
  const address = new URL(request.url)
  if (request.method !== 'GET' || address.origin !== location.origin || LEAVING.includes(address.pathname)) return
  if (request.mode === 'navigate') event.respondWith(page(request, address.pathname))
  else if (KEPT.files.includes(address.pathname + address.search)) event.respondWith(file(request, address))
})

async function take() {
  const shell = await caches.open(SHELL)
  const all = [...KEPT.files, ...Object.values(KEPT.pages), KEPT.elsewhere]
  await shell.addAll(all.map((one) => new Request(one, { cache: 'reload', credentials: 'omit' })))
  await self.skipWaiting()
}

async function tidy() {
  for (const name of await caches.keys()) if (name.startsWith('samen-los-') && name !== SHELL) await caches.delete(name)
}

async function page(request, path) {
  const help = path === '/hulp'
  try {
    const answer = await (help ? soon(fetch(request)) : fetch(request))
    if (!help || answer.status < 500) return answer
    return await kept(path) ?? answer
  } catch {
    return await kept(path) ?? Response.error()
  }
}

async function kept(path) {
  if (path === KEPT.elsewhere) return caches.match(path, { cacheName: SHELL })
  const here = await caches.match('/hulp/hier', { cacheName: HERE })
  const mine = here && /^\/(hulp|plan)\b/.test(path) && await caches.match('/hulp/mijn', { cacheName: MINE })
  if (mine) return mine
  const { language } = here ? await here.json() : {}
  return caches.match(KEPT.pages[language] ?? KEPT.pages[navigator.language.slice(0, 2)] ?? KEPT.pages.nl, { cacheName: SHELL })
}

// What carries its fingerprint in its address never changes; the rest is asked for first.
async function file(request, address) {
  const ours = () => caches.match(request.url, { cacheName: SHELL })
  if (address.search) return await ours() ?? fetch(request)
  try {
    return await soon(fetch(request))
  } catch {
    return await ours() ?? Response.error()
  }
}

function soon(answer) {
  return Promise.race([answer, new Promise((_, late) => setTimeout(() => late(new Error('late')), PATIENCE))])
}
