// Whose it is what a browser keeps (`of`, in both of its stores), and what of a form did not arrive: the names of the
// drafts that went along stand behind the mark of whose they are.
import { forget } from './leave.js'

const OWNER = 'of'

export async function kept(own) {
  const [page, ...sent] = (sessionStorage.getItem(OWNER) ?? own).split(' ')
  await belongs(own, page)
  if (!document.body.matches('[data-refused]')) arrived(own, sent)
}

// Another account may come in where nobody signed out. It finds nothing of who was here: no draft, no plan, no wave.
async function belongs(own, page) {
  if ((localStorage.getItem(OWNER) ?? own) !== own) await forget()
  localStorage.setItem(OWNER, own)
  if (page !== own) sessionStorage.clear()
  if (page !== own || !sessionStorage.getItem(OWNER)) sessionStorage.setItem(OWNER, own)
}

// What a form took along (draft.js) has arrived once another page is here. A refusal, and the same page with something else
// in it, say that it did not: then it stands there again.
function arrived(own, sent) {
  for (const name of sent) {
    const field = document.querySelector(`[data-draft="${CSS.escape(name.slice('draft:'.length))}"]`)
    if (!field || field.value === sessionStorage.getItem(name)) sessionStorage.removeItem(name)
  }
  sessionStorage.setItem(OWNER, own)
}
