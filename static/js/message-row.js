// One message as a row of the list, and what changes in it afterwards. The server draws the same (components/ui.html).
import { icon, make, mark } from './mark.js'

export const page = document.body.dataset
export const words = () => document.querySelector('[data-words]').dataset
export const list = () => document.querySelector('[data-messages]')
export const rowOf = (seq) => list().querySelector(`[data-seq="${Number(seq)}"]`)
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name])
export const url = (rest) => `${list().dataset.url}/${rest}`
const named = (name) => JSON.parse(words()[name] || '[]')
const hides = (alias) => named('hiddenAliases').includes(alias)
const SIGNS = { recognise: 'heart' }

// A row for a message, or nothing where nothing of it is to be seen.
export function row(item) {
  const own = item.alias === page.alias
  const lead = item.role === 'facilitator'
  if (item.trace === false || (hides(item.alias) && !lead)) return null
  const time = clock(item.at)
  const body = make('div', { class: 'msg__body' })
  if (own) body.append(make('span', { class: 'vh' }, `${words().own}, `))
  else {
    body.append(make('p', { class: 'msg__head' }, make('b', {}, item.alias), lead ? make('span', { class: 'msg__role' }, words().lead) : null,
      make('time', { datetime: item.at }, time)))
  }
  const stands = item.status === 'posted'
  if (stands && item.quote && !hides(item.quote.alias)) body.append(quote(item.reply_to, item.quote))
  body.append(make('p', { class: 'msg__text' }, ...(stands ? pieces(item.text, item.mentions) : [words().gone])))
  const made = make('li', { class: `msg${own ? ' msg--own' : lead ? ' msg--lead' : ''}`, id: `b${item.seq}`, 'data-seq': item.seq,
    'data-alias': item.alias, 'data-at': item.at }, own ? null : mark(item.alias), body)
  if (!stands) { empty(made); return made }
  const ask = fill(own ? words().moreOwn : words().moreOther, { alias: item.alias, time })
  made.append(make('div', { class: 'msg__foot' }, make('div', { class: 'msg__re', 'data-reactions': '' }),
    own ? make('span', { class: 'msg__state' }, icon('check'), `${words().placed} ${time}`) : null,
    make('a', { class: 'msg__more', href: `?bericht=${item.seq}#wat`, 'data-more': '' }, icon('dots'), make('span', { class: 'vh' }, ask))))
  if (item.edited) sayEdited(made)
  if (item.reactions) react(made, item.reactions)
  return made
}

export function quote(seq, { alias, text }) {
  return make('a', { class: 'msg__quote', href: `#b${seq}`, 'data-quotes': seq },
    make('span', { class: 'vh' }, `${words().answering} `), make('b', {}, alias), ' ', make('span', { 'data-quoted': '' }, text))
}

export function react(target, reactions) {
  const shown = Object.entries(reactions).map(([kind, names]) => [kind, names.filter((alias) => !hides(alias))]).filter(([, names]) => names.length)
  target.querySelector('[data-reactions]')?.replaceChildren(...shown.map(([kind, names]) =>
    make('p', { 'data-kind': kind }, icon(SIGNS[kind] ?? kind), make('span', {}, fill(words()[kind], { names: together(names) })))))
  target.dataset.mine = Object.keys(reactions).filter((kind) => reactions[kind].includes(page.alias)).join(' ')
}

// Never more than two names and a number, and oneself last.
function together(names) {
  const mine = names.includes(page.alias)
  const all = [...names.filter((alias) => alias !== page.alias), ...(mine ? [words().you] : [])]
  if (all.length > 3) return fill(words().many, { a: all[0], b: mine ? all.at(-1) : all[1], n: all.length - 2 })
  return fill([words().three, words().two, '{a}'][3 - all.length], { a: all[0], b: all[1], c: all[2] })
}

// What happened to a message after it was placed.
export function change({ seq, status, text, mentions, trace }) {
  const target = rowOf(seq)
  if (status === 'edited') {
    for (const quoted of document.querySelectorAll(`[data-quotes="${Number(seq)}"] [data-quoted]`)) quoted.textContent = short(text)
    if (!target) return
    target.querySelector('.msg__text').replaceChildren(...pieces(text, mentions))
    sayEdited(target)
  } else if (status !== 'posted') {
    for (const quoted of document.querySelectorAll(`[data-quotes="${Number(seq)}"]`)) quoted.remove()
    if (target) trace === false ? vanish(target) : empty(target)
  }
}

// Take a row away; whoever was at it goes on from the next one.
export function vanish(target) {
  const held = target.contains(document.activeElement)
  const next = target.nextElementSibling ?? target.previousElementSibling
  target.remove()
  if (held) (next?.querySelector('[data-more]') ?? document.getElementById('schrijf'))?.focus()
}

function empty(target) {
  const held = target.contains(document.activeElement)
  const text = target.querySelector('.msg__text')
  text.textContent = words().gone
  text.classList.add('muted')
  target.querySelector('.msg__quote')?.remove()
  target.querySelector('.msg__foot')?.remove()
  if (held) { text.tabIndex = -1; text.focus() }
}

function sayEdited(target) {
  const state = target.querySelector('.msg__state')
  if (state) state.replaceChildren(icon('check'), `${words().placed} ${clock(target.dataset.at)}, ${words().edited}`)
  else if (!target.querySelector('.msg__edited')) target.querySelector('.msg__head').append(make('span', { class: 'msg__edited' }, words().edited))
}

export function say(target, sign, text) {
  target.querySelector('.msg__state')?.replaceChildren(icon(sign), text)
}

// The text, with the names that are called in it marked.
function pieces(text, called = []) {
  if (!called?.length) return [text]
  const either = [...called].sort((a, b) => b.length - a.length).map((alias) => alias.replace(/[^\p{L}\p{N}_]/gu, '\\$&')).join('|')
  const [calls, mine] = [new RegExp(`(?<![\\p{L}\\p{N}_@])(@(?:${either}))(?![\\p{L}\\p{N}_@])`, 'giu'), `@${page.alias}`.toLowerCase()]
  return text.split(calls).map((piece, at) => at % 2
    ? make('span', { class: `call${piece.toLowerCase() === mine ? ' call--me' : ''}` }, piece) : piece)
}

export function short(text) {
  const line = text.split(/\s+/).join(' ')
  return line.length > 140 ? `${line.slice(0, 139).trimEnd()}…` : line
}

export function clock(at) {
  const text = new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit', hour12: false })
  return document.documentElement.lang === 'nl' ? text.replace(':', '.') : text
}
