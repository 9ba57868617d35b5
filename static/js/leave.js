// Leave now: cover the page, end the session, put something neutral in this page's place in the history.
const WINDOW = 5000 // milliseconds in which Shift must be pressed three times

export function leave() {
  const link = document.querySelector('[data-leave]')
  if (!link) return
  let presses = []
  const go = () => {
    document.querySelector('[data-cover]').hidden = false
    document.title = 'Agenda'
    try { sessionStorage.clear() } catch { /* a browser may forbid storage; then nothing is in it */ }
    forget()
    navigator.sendBeacon('/weg', new URLSearchParams({ csrf_token: token() }))
    location.replace(link.dataset.leave)
  }
  link.addEventListener('click', (event) => { event.preventDefault(); go() })
  let alone = false // Shift with a letter is typing, not leaving
  document.addEventListener('keydown', (event) => { alone = event.key === 'Shift' })
  document.addEventListener('keyup', (event) => {
    if (event.key !== 'Shift' || !alone) return
    const now = Date.now()
    presses = [...presses.filter((at) => now - at < WINDOW), now]
    if (presses.length >= 3) go()
  })
}

// What this device keeps of somebody for when there is no network (offline.js, rides.js) is gone.
export function forget() {
  try { localStorage.clear() } catch { /* as above */ }
  return Promise.all(['samen-mijn', 'samen-hier'].map((name) => self.caches?.delete(name)))
}

export function token() {
  return document.querySelector('meta[name="csrf-token"]').content
}
