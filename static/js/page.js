// A page, or a piece of one, as the server draws it: parsed by the browser's own loader, so that no script here ever turns
// text into markup. Null where there is none, where we were sent elsewhere, or without a connection.
export function page(address) {
  return new Promise((found) => {
    const request = new XMLHttpRequest()
    request.open('GET', address)
    request.responseType = 'document'
    request.setRequestHeader('Accept', 'text/html')
    request.onloadend = () => {
      const here = request.status === 200 && new URL(request.responseURL).pathname === new URL(address, location).pathname
      found(here ? request.response : null)
    }
    request.send()
  })
}
