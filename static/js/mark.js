// The calm mark beside an alias, made from the alias alone; the server draws the same (app/pages.py).
const SHAPES = ['leaf', 'pebble', 'drop', 'sun', 'moon', 'hill', 'wave', 'arch', 'seed', 'star']
const SVG = 'http://www.w3.org/2000/svg'

export function mark(alias, small = false) {
  let number = 2166136261
  for (const byte of new TextEncoder().encode(alias)) number = Math.imul(number ^ byte, 16777619) >>> 0
  const tint = Math.floor(number / SHAPES.length) % 8 + 1
  return drawing(`mark t${tint}${small ? ' mark--s' : ''}`, `/s/img/marks.svg#${SHAPES[number % SHAPES.length]}`)
}

export function icon(name) {
  return drawing('i', `/s/vendor/icons.svg#${name}`)
}

function drawing(classes, href) {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('class', classes)
  svg.setAttribute('aria-hidden', 'true')
  const use = document.createElementNS(SVG, 'use')
  use.setAttribute('href', href)
  svg.append(use)
  return svg
}

// Build an element: tag, attributes, children. Text is always text, never markup.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children.filter((child) => child !== null && child !== undefined))
  return element
}
