// The code of a scanned slip, from behind the # into its field. Who is signed in gets the page that asks for one.
const ASKS = '/code'

export function code() {
  const field = document.querySelector('[data-code-field]')
  const found = location.hash.slice(1)
  if (field) {
    history.replaceState(null, '', location.pathname)
    field.value = found
  } else if (location.pathname !== ASKS) {
    location.replace(ASKS + location.hash)
  }
}
