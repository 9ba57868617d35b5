// A button that copies a field, as it stands now. Nothing of it is sent or kept here.
export function copy() {
  for (const button of document.querySelectorAll('[data-copy]')) {
    const field = document.getElementById(button.dataset.copy)
    const said = button.parentElement.querySelector('[role=status]')
    button.hidden = false
    button.addEventListener('click', async () => {
      said.textContent = (await copied(field)) ? button.dataset.copied : button.dataset.uncopied
    })
  }
}

async function copied(field) {
  try {
    await navigator.clipboard.writeText(field.value)
    return true
  } catch { // an older browser, or plain http on a local network
    field.select()
    return document.execCommand('copy')
  }
}
