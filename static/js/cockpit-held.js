// A held message is read and decided where it stands; the text comes only when somebody asks for it.
import { handOn, one } from './dom.js'
import { refresh } from './merge.js'
import { page } from './page.js'

export function held() {
  document.addEventListener('click', async (event) => {
    const link = event.target.closest('[data-look]')
    if (!link || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    const place = one('[data-look-in]', link.closest('li'))
    if (place.firstElementChild) { place.replaceChildren(); return } // a second press shuts it
    const came = await piece(link.dataset.look)
    if (!came) return location.assign(link.href)
    place.replaceChildren(came)
    one('[tabindex="-1"]', place).focus()
  })
  document.addEventListener('answered', ({ target, detail }) => {
    if (!target.matches('[data-decides]') || !(detail.ok || detail.code === 'closed')) return
    const row = target.closest('li')
    handOn(row)
    row.remove()
    refresh()
  })
}

async function piece(address) {
  const came = one('[data-look-out]', await page(address) ?? document.createElement('p'))
  return came && document.adoptNode(came)
}
