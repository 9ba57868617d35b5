// Starts what this page asks for: one small module per data-attribute. The page works without any of them.
import { leave } from './leave.js'

leave()

const wanted = [
  ['[data-room]', './room.js', 'room'],
  ['[data-session]:not([data-session=""])', './session.js', 'session'],
  ['form[data-quiet]', './quiet.js', 'quiet'],
  ['[data-draft]', './draft.js', 'draft'],
  ['[data-wave]', './wave.js', 'wave'],
  ['[data-print]', './small.js', 'print'],
  ['[data-say]', './small.js', 'say'],
  ['[data-inbox]', './small.js', 'inbox'],
]

for (const [selector, path, start] of wanted) {
  if (document.querySelector(selector)) import(path).then((module) => module[start]())
}
