// The library for C, used from Node by koffi as any language with a foreign function interface would:
//   node library.mjs LIBRARY SAMPLE_IMAGES FOLDER CODES
// CODES: what the program extracts of SAMPLE_IMAGES/recognize by the model that is trained here, which is written to
// FOLDER/node.stackae; without it the model alone is written.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import koffi from 'koffi'

const [path, samples, folder, codesOfProgram] = process.argv.slice(2)
const library = koffi.load(path)
const OnEvent = koffi.proto('void OnEvent(void* context, int event, const char* json)')
const Stop = koffi.proto('int Stop(void* context)')
koffi.struct('Observer', { context: 'void*', on_event: koffi.pointer(OnEvent), stop: koffi.pointer(Stop) })
koffi.struct('Candidate', { name: 'const char*', path: 'const char*', distance: 'double' })
const Recognition = koffi.struct('Recognition', {
  name: 'const char*', distance: 'double', known: 'int', candidate_count: 'int64_t', candidates: 'Candidate*',
})
const free = library.func('void stackae_string_free(void* text)')
const functions = Object.fromEntries(Object.entries({
  pictures_open: 'const char* path, _Out_ void** pictures',
  model_train: 'void* pictures, const char** options, Observer* observer, _Out_ void** model',
  model_save: 'void* model, const char* path',
  model_load: 'const char* path, _Out_ void** model',
  model_describe: 'void* model, _Out_ void** json',
  encoder_create: 'void* model, const char** options, _Out_ void** encoder',
  encoder_encode: 'void* encoder, void* pictures, Observer* observer, float* codes, _Out_ int64_t* skipped',
  gallery_create: 'void* model, const char** options, _Out_ void** gallery',
  gallery_add: 'void* gallery, float* codes, int64_t n, int64_t d, const char** names, const char** paths',
  gallery_calibrate: 'void* gallery, double false_accept_rate, int threads',
  recognizer_create: 'void* gallery, const char** options, _Out_ void** recognizer',
  recognizer_recognize: 'void* recognizer, float* codes, int64_t n, int64_t d, _Out_ void** recognitions',
}).map(([name, parameters]) => [name, library.func(`int stackae_${name}(${parameters}, _Out_ void** message)`)]))

class StackaeError extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

function takeText(text) {
  const copy = koffi.decode(text, 'char', -1)
  free(text)
  return copy
}

// Throws what a call's status and message say.
function act(name, ...parameters) {
  const message = [null]
  const status = functions[name](...parameters, message)
  if (status !== 0) {
    throw new StackaeError(status, takeText(message[0]))
  }
}
// What a call makes, by its last parameter but the message.
function make(name, ...parameters) {
  const result = [null]
  act(name, ...parameters, result)
  return result[0]
}

const count = library.func('int64_t stackae_pictures_count(void* pictures)')
const pathOf = library.func('void* stackae_pictures_path(void* pictures, int64_t i)')
const labelOf = library.func('void* stackae_pictures_label(void* pictures, int64_t i)')
const codeSize = library.func('int64_t stackae_encoder_code_size(void* encoder)')
const at = library.func('void* stackae_recognitions_at(void* recognitions, int64_t i)')

const events = [0, 0, 0, 0, 0, 0]
const onEvent = koffi.register((_context, event, json) => {
  assert.equal(typeof JSON.parse(json), 'object')
  events[event] += 1
}, koffi.pointer(OnEvent))
const observer = { context: null, on_event: onEvent, stop: null }

const train = make('pictures_open', `${samples}/train`)
assert.equal(Number(count(train)), 500)
const model = make('model_train', train, ['stack=dense:30', 'epochs=4', null], observer)
assert.ok(events[3] >= 1 && events[4] >= 4, `events: ${events}`)
act('model_save', model, `${folder}/node.stackae`)
const described = JSON.parse(takeText(make('model_describe', model)))
assert.equal(described.layers.length, 1)

const encoder = make('encoder_create', model, ['threads=1', null])
const size = Number(codeSize(encoder))
function encode(pictures) {
  const codes = new Float32Array(Number(count(pictures)) * size)
  const skipped = make('encoder_encode', encoder, pictures, observer, codes)
  assert.equal(Number(skipped), 0)
  return codes
}
const learnt = encode(train)
const asked = make('pictures_open', `${samples}/recognize`)
const codes = encode(asked)
const paths = [...Array(Number(count(asked))).keys()].map(i => takeText(pathOf(asked, i)))

const gallery = make('gallery_create', model, null)
const labels = [...Array(500).keys()].map(i => takeText(labelOf(train, i)))
act('gallery_add', gallery, learnt, 500, size, labels, null)
act('gallery_calibrate', gallery, 0.01, 1)
const recognizer = make('recognizer_create', gallery, ['top=3', null])
const recognitions = make('recognizer_recognize', recognizer, codes, paths.length, size)
const named = paths.map((_, i) => koffi.decode(at(recognitions, i), Recognition))
named.forEach(one => assert.equal(Number(one.candidate_count), 3))
const digits = named.filter((one, i) => paths[i].includes('digit-'))
const right = digits.filter(one => paths[named.indexOf(one)].includes(`digit-${one.name}`)).length
assert.ok(2 * right > digits.length, `${right} of ${digits.length} digits named rightly`)

assert.throws(() => make('model_load', `${folder}/nothing.stackae`),
  error => error.status === 2 && error.message.includes('nothing.stackae'))
assert.throws(() => make('encoder_create', model, ['colour=red', null]),
  error => error.status === 1 && error.message.includes('"colour" found'))

if (codesOfProgram) {
  const rows = fs.readFileSync(codesOfProgram, 'utf8').trim().split('\n').slice(1).map(line => line.split(','))
  assert.deepEqual(rows.map(row => row[0]), paths)
  rows.forEach((row, i) => row.slice(1).forEach((value, j) => assert.equal(Math.fround(Number(value)), codes[i * size + j])))
}
console.log(`the library for C by Node ${process.version}, koffi ${koffi.version}: ${paths.length} pictures encoded` +
  `${codesOfProgram ? ' as the program does' : ''}, ${right} of ${digits.length} digits named rightly`)
