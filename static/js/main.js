// Starts what this page asks for: one small module per data-attribute. The page works without any of them.
import { forget, leave } from './leave.js'

leave()
const { whose, visitor } = document.documentElement.dataset
if (visitor === '') forget()

// A browser may keep a page in memory. It is covered, and coming back asks anew who this is.
addEventListener('pagehide', (event) => { if (event.persisted) document.querySelector('[data-cover]').hidden = false })
addEventListener('pageshow', (event) => { if (event.persisted) location.reload() })

// Whoever signs out leaves nothing behind for the next person at this screen.
addEventListener('submit', ({ target }) => { if (/\/(uit|weg|wissen)$/.test(target.action)) { sessionStorage.clear(); forget() } })

let of = whose // see kept.js
try { of = sessionStorage.of } catch { /* forbidden */ }
if (whose && of !== whose) await (await import('./kept.js')).kept(whose)

const wanted = [
  ['[data-room]', './room.js', 'room'],
  ['[data-session]:not([data-session=""])', './session.js', 'session'],
  ['body[data-breakout]', './breakout.js', 'breakout'],
  ['body[data-out]', './breakout.js', 'out'],
  ['form[data-quiet]', './quiet.js', 'quiet'],
  ['[data-draft]', './draft.js', 'draft'],
  ['form[data-concept]', './concept.js', 'concept'],
  ['[data-rows]', './rows.js', 'rows'],
  ['[data-breathe]', './breathe.js', 'breathe'],
  ['[data-wave]', './wave.js', 'wave'],
  ['[data-loose]', './offline.js', 'offline'],
  ['[data-keep-plan]', './offline.js', 'keepPlan'],
  ['[data-passkey]', './passkey.js', 'passkey'],
  ['[data-print]', './small.js', 'print'],
  ['[data-climate]', './climate.js', 'climate'],
  ['[data-sheet]', './sheet.js', 'sheet'],
  ['[data-copy]', './copy.js', 'copy'],
  ['[data-say]', './small.js', 'say'],
  ['[data-show]', './show.js', 'show'],
  ['[data-inbox]', './small.js', 'inbox'],
]

// A code behind the # never reached a server: it goes into its field and out of the address.
if (/^#[A-Z0-9]{4}(-[A-Z0-9]{4}){1,3}$/.test(location.hash)) import('./code.js').then((module) => module.code())

const starting = wanted
  .filter(([selector]) => document.querySelector(selector))
  .map(([, path, start]) => import(path).then((module) => module[start]()))
Promise.allSettled(starting).then(() => {
  document.body.dataset.started = 'yes'
  dispatchEvent(new Event('started'))
})
