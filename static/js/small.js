// Small things that fit in a few lines each.
import { live } from './live.js'

export function print() {
  for (const button of document.querySelectorAll('[data-print]')) {
    button.hidden = false
    button.addEventListener('click', () => window.print())
  }
}

// Sentences to borrow: they land in the writing field, never straight in the room.
export function say() {
  const field = document.querySelector('[data-composer]').elements.text
  for (const button of document.querySelectorAll('[data-say-line]')) {
    button.addEventListener('click', () => {
      field.value = button.textContent
      field.dispatchEvent(new Event('input'))
      field.focus()
    })
  }
}

// Something new for this person: said quietly, shown when they ask. A page never changes under somebody's hands.
export function inbox() {
  const news = document.querySelector('[data-news]')
  live().on('notice', () => { news.hidden = false })
}
