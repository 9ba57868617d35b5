// The step everybody is at: turns the page to it, fetches one that came in meanwhile, shows what was answered.
import { all, one, say, show, tell } from './dom.js'
import { make, mark } from './mark.js'

const { room } = document.body.dataset
const panes = () => one('[data-panes]')
const pane = (ref) => one(`[data-panes] > [data-ref="${CSS.escape(ref)}"]`)
let shown = one('[data-panes] > [data-ref]:not([hidden])')?.dataset.ref
let drawn = '' // what stands under the step now, so that it is drawn once
let open = false
let heard = 0

export async function follow(state) {
  const { ref, title } = state.step
  const mine = ++heard
  if (!pane(ref) || (shown !== ref && changed(pane(ref), title))) await bring(ref)
  if (mine !== heard) return // meanwhile something newer was said
  const current = pane(ref)
  if (!current) return
  if (shown !== ref) {
    show(current, true) // first, so that whoever was typing in the last step lands on this one
    one('#stap')?.removeAttribute('id')
    current.querySelector('h2').id = 'stap'
    for (const other of all('[data-panes] > [data-ref]')) if (other !== current) show(other, false)
    tell('step', { n: state.position + 1, m: state.count, title })
    one('[data-step-pane]').scrollTop = 0
    one('[data-notice]')?.replaceChildren() // what was said at the last step
    shown = ref
    drawn = ''
    open = false
  }
  const place = one('[data-place]')
  say(place, { n: state.position + 1, m: state.count })
  place.append(` · ${current.dataset.kind}`)
  spread(current)
  const late = state.answers.revealed && state.step.sharing !== 'shared' && state.step.sharing !== 'private'
  show(one('[data-answering]', current), !late) // what was counted and shown cannot be chosen again
  answers(current, state)
}

// A facilitator's own words may have been changed since this page was made.
const changed = (old, title) => old.dataset.free !== undefined || old.querySelector('h2').textContent !== title

async function bring(ref) {
  const { page } = await import('./page.js')
  const came = (await page(`/ruimte/${room}/stap/${ref}`))?.querySelector('[data-ref]')
  if (!came) return
  came.hidden = true
  pane(ref)?.remove()
  panes().append(document.adoptNode(came))
  const { draft } = await import('./draft.js')
  draft(came)
}

// Beside the conversation there is room: the answer field stands open, once, until somebody shuts it.
function spread(here) {
  const box = one('[data-answering]', here)
  if (!open && box?.matches('details:not([data-answered])') && matchMedia('(min-width: 64em)').matches) box.open = true
  open = true
}

function answers(here, { answers: { given, revealed, shared, pooled, tally } }) {
  const now = JSON.stringify([shown, revealed, shared, pooled, tally, given])
  if (now === drawn) return
  drawn = now
  const place = one('[data-answers]', here)
  const before = place.childElementCount
  place.replaceChildren(...(revealed ? [...named(shared), ...unnamed(pooled), ...counted(tally, given, here)] : []))
  if (!before && place.childElementCount) tell('revealed')
}

const named = (rows) => rows.map(({ alias, text }) =>
  make('p', { class: 'answer' }, mark(alias, true), make('span', {}, make('b', {}, alias), ` ${text}`)))

const unnamed = (texts) => texts.length ? [make('ul', { class: 'pooled' }, ...texts.map((text) => make('li', {}, text)))] : []

function counted(tally, given, here) {
  if (!tally) return []
  const small = tally.every(({ text }) => text.length <= 3)
  return [make('ul', { class: `tallies${small ? ' tallies--scale' : ''}` }, ...tally.map(({ text, count }) =>
    make('li', {}, make('span', {}, text), make('progress', { max: Math.max(given, 1), value: count, 'aria-label': text }),
      make('b', {}, String(count)))))]
}
