/** Text in lines of at most so many columns. */

/** Broken at spaces; the lines after the first are to be indented by `hanging`, and are so much shorter. */
export function wrapped(text: string, width: number, hanging: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const limit = lines.length === 0 ? width : width - hanging
    if (line !== '' && line.length + 1 + word.length > limit) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
