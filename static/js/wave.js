// The urge timer: a point that rides the wave. It moves by steps of the clock; nothing is animated.
export function wave() {
  const box = document.querySelector('[data-wave]')
  const start = box.querySelector('[data-wave-start]')
  const line = box.querySelector('[data-wave-line]')
  const dot = box.querySelector('[data-wave-dot]')
  const total = Number(box.dataset.wave)
  start.hidden = false
  start.addEventListener('click', () => {
    const ends = Date.now() + total * 1000
    start.hidden = true
    box.querySelector('[data-wave-clock]').hidden = false
    dot.removeAttribute('hidden')
    const step = () => {
      const left = Math.max(0, Math.round((ends - Date.now()) / 1000))
      box.querySelector('[data-wave-time]').textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
      const at = line.getPointAtLength(line.getTotalLength() * (1 - left / total))
      for (const circle of dot.children) { circle.setAttribute('cx', at.x); circle.setAttribute('cy', at.y) }
      if (left > 0) setTimeout(step, 1000)
    }
    step()
  })
}
