/** What is printed: lines of ours, in which nothing from a log does anything. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { harmless, print, printJson, styled } from '../../src/cli/output.ts'
import { inLine } from '../../src/log/unseen.ts'

const ESC = '\u001b'

/** What comes out on a terminal that shows colours. */
function shownBy(show: () => void): string {
  const { isTTY } = process.stdout
  const write = process.stdout.write.bind(process.stdout)
  const { NO_COLOR } = process.env
  let out = ''
  delete process.env['NO_COLOR']
  process.stdout.isTTY = true
  process.stdout.write = chunk => (out += String(chunk)) !== ''
  try {
    show()
  } finally {
    process.stdout.isTTY = isTTY
    process.stdout.write = write
    if (NO_COLOR !== undefined) process.env['NO_COLOR'] = NO_COLOR
  }
  return out
}

test('styles of ours reach a terminal, and those of a log do not', () => {
  const title = `${ESC}[31mred${ESC}[0m`
  assert.is(
    shownBy(() => print(`${styled('bold', title)} ${title}`)),
    `${ESC}[1m\\u001b[31mred\\u001b[0m${ESC}[22m \\u001b[31mred\\u001b[0m\n`,
  )
  assert.is(
    shownBy(() => print(styled('dim', `a ${styled('red', 'b')}`))),
    `${ESC}[2ma ${ESC}[31mb${ESC}[39m${ESC}[22m\n`,
  )
})

test('nothing that is printed makes a line of its own', () => {
  assert.is(
    shownBy(() => print('one\n✔ forged', 'two')),
    'one\\n✔ forged\ntwo\n',
  )
  assert.is(
    shownBy(() => printJson({ a: `x\n${ESC}\u202e` })),
    '{"a":"x\\n\\u001b\\u202e"}\n',
  )
  // Messages of ours may have several.
  assert.is(harmless(`one\n  two${ESC}[2J`), 'one\n  two\\u001b[2J')
})

test('characters that are not seen', () => {
  for (const char of [
    '\0',
    '\t',
    '\r',
    ESC,
    '\u009b',
    '\u00ad',
    '\u061c',
    '\u200b',
    '\u2028',
    '\u202e',
    '\u2066',
    '\u206a',
    '\ufeff',
    '\ue000',
  ])
    assert.match(inLine(`a${char}b`), /^a\\u[0-9a-f]{4}b$/)
  for (const char of ['\u{e0000}', '\u{e0041}', '\u{e007f}']) assert.match(inLine(char), /^\\udb40\\udc[0-9a-f]{2}$/)
  for (const text of ['é → ✔ … ⚠️ 日本 😀', 'plain']) assert.is(inLine(text), text)
})

test.run()
