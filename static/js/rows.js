// One more line in a list, until it is full. Without this module some empty lines stand ready.
import { draft } from './draft.js'

export function rows() {
  for (const box of document.querySelectorAll('[data-rows]')) {
    const list = box.querySelector('ol')
    const more = box.querySelector('[data-rows-more]')
    const full = () => list.children.length >= Number(box.dataset.rows)
    more.hidden = full()
    more.querySelector('button').addEventListener('click', () => {
      const row = list.lastElementChild.cloneNode(true)
      for (const number of row.querySelectorAll('[data-row-number]')) number.textContent = list.children.length + 1
      for (const [column, field] of [...row.querySelectorAll('textarea')].entries()) {
        field.value = ''
        field.dataset.draft = `${box.dataset.key}-${list.children.length}-${column}`
        sessionStorage.removeItem(`draft:${field.dataset.draft}`)
      }
      list.append(row)
      draft(row)
      more.hidden = full()
      row.querySelector('textarea').focus()
    })
  }
}
