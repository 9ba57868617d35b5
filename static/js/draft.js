// What is being typed survives a reload, in this window only, until it is saved or the page is left at once (kept.js).
export function draft(root = document) {
  for (const field of root.querySelectorAll('[data-draft]')) {
    const name = `draft:${field.dataset.draft}`
    const kept = sessionStorage.getItem(name)
    if (kept && !field.value) field.value = kept
    field.addEventListener('input', () => sessionStorage.setItem(name, field.value))
    field.form?.addEventListener('submit', () => { if (!field.form.matches('[data-quiet]')) sessionStorage.of += ` ${name}` })
  }
}
