// The run-sheet as one types: minutes are saved when they change, lines can be dragged. Without it there are buttons.
import { post } from './quiet.js'

export function sheet() {
  const list = document.querySelector('[data-sheet]')
  list.classList.add('sheet--live')
  list.addEventListener('change', ({ target }) => { if (target.closest('[data-save]') && target.reportValidity()) save(list, target) })
  list.addEventListener('submit', (event) => {
    if (!event.target.matches('[data-save]')) return
    event.preventDefault() // Enter in the field: the change is what saves
    event.target.querySelector('[name=minutes]').blur()
  })
  drag(list)
}

async function save(list, field) {
  const answer = await post(field.form.action, new FormData(field.form))
  if (!answer.ok) return said(answer) // somebody was faster: the page as it stands now
  for (const other of document.querySelectorAll('input[name=version]')) other.value = Number(other.value) + 1
  for (const twin of field.closest('li').querySelectorAll('[name=minutes]')) twin.value = field.value
  total(list)
}

function said(answer) {
  const place = document.querySelector('[data-sheet-problem]')
  place.hidden = false
  place.querySelector('span').textContent = answer.message
  if (answer.code === 'closed') setTimeout(() => location.reload(), 2500)
}

function total(list) {
  const sum = document.querySelector('[data-sum]')
  const all = Number(sum.dataset.fixed) + [...list.querySelectorAll('[data-save] [name=minutes]')].reduce((n, field) => n + Number(field.value), 0)
  const over = all - Number(sum.dataset.of)
  const words = over > 0 ? (over === 1 ? sum.dataset.overOne : sum.dataset.over) : over < 0 ? (over === -1 ? sum.dataset.leftOne : sum.dataset.left) : sum.dataset.fits
  sum.classList.toggle('sum--over', over > 0)
  sum.querySelector('span').textContent = words.replace('{n}', all).replace('{d}', Math.abs(over))
}

function drag(list) {
  let held = null
  for (const line of list.querySelectorAll('[data-line]')) {
    line.draggable = true
    line.addEventListener('dragstart', (event) => {
      if (event.target.closest('input, textarea, select, details[open]')) return event.preventDefault()
      held = line
      event.dataTransfer.effectAllowed = 'move'
    })
    line.addEventListener('dragover', (event) => {
      if (!held || held === line) return
      event.preventDefault()
      line.classList.add('sheet__line--over')
    })
    line.addEventListener('dragleave', () => line.classList.remove('sheet__line--over'))
    line.addEventListener('drop', async (event) => {
      event.preventDefault()
      line.classList.remove('sheet__line--over')
      if (!held || held === line) return
      const form = held.querySelector('[data-move]'), fields = new FormData(form)
      const from = Number(held.dataset.position), to = Number(line.dataset.position)
      fields.set('position', from < to ? to - 1 : to)
      const answer = await post(form.action, fields)
      if (answer.ok) location.reload()
      else said(answer)
    })
    line.addEventListener('dragend', () => { held = null })
  }
}
