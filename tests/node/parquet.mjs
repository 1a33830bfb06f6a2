// Reads a table of `stackae extract` by hyparquet and compares it with the same table in CSV: node parquet.mjs PARQUET CSV
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'

const [parquet, csv] = process.argv.slice(2)
const file = await asyncBufferFromFile(parquet)
const metadata = await parquetMetadataAsync(file)
const rows = await parquetReadObjects({ file })
const [header, ...lines] = fs.readFileSync(csv, 'utf8').trimEnd().split('\n')
const [kind, second] = header.split(',')
const labelled = second === 'label'
assert.equal(rows.length, lines.length)
assert.deepEqual(Object.keys(rows[0]), labelled ? [kind, 'label', 'features'] : [kind, 'features'])
lines.forEach((line, i) => {
  const [name, ...rest] = line.split(',')
  assert.equal(rows[i][kind], name)
  if (labelled) {
    assert.equal(rows[i].label, rest.shift() || null) // null: none
  }
  assert.deepEqual(Array.from(rows[i].features), rest.map(value => Math.fround(Number(value))))
})
const version = JSON.parse(fs.readFileSync(new URL('node_modules/hyparquet/package.json', import.meta.url))).version
console.log(`${parquet} by hyparquet ${version}: ${rows.length} rows of ${rows[0].features.length} features in ` +
  `${metadata.row_groups.length} groups, as the CSV has them`)
