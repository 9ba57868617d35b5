// A password that can be looked at while it is chosen.
export function show() {
  for (const button of document.querySelectorAll('[data-show]')) {
    const field = document.getElementById(button.dataset.show)
    button.hidden = false
    button.addEventListener('click', () => {
      const shown = field.type === 'password'
      field.type = shown ? 'text' : 'password'
      button.setAttribute('aria-pressed', String(shown))
    })
  }
}
