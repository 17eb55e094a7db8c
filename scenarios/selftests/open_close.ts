/** A device is opened and closed, and nothing else. */
import { selftest } from './frame.ts'

export default selftest('open_close', ({ open, close }) => {
  close(open(0))
})
