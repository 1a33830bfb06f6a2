// Runs the graphs that write_onnx_cases wrote to a folder, and compares what they give with what is expected.
const fs = require('fs');
const path = require('path');
const ort = require('onnxruntime-node');

/** The numbers of a file of float32. */
function floats(file) {
  const bytes = fs.readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** The index of the row of `table` nearest to row i of `from` that is not i. */
function nearest(from, table, i, size) {
  let best = -1;
  let least = Infinity;
  for (let j = 0; j * size < table.length; ++j) {
    let sum = 0;
    for (let k = 0; k < size && j !== i; ++k) sum += (from[i * size + k] - table[j * size + k]) ** 2;
    if (j !== i && sum < least) [best, least] = [j, sum];
  }
  return best;
}

/** How far from expected a case is at most, as a share of what is allowed, and how many rows have another nearest. */
async function run(folder, i, one) {
  const session = await ort.InferenceSession.create(path.join(folder, `${i}.onnx`));
  const input = floats(path.join(folder, `${i}.input`));
  const tensor = one.bytes ? new ort.Tensor('uint8', Uint8Array.from(input), one.shape)
    : new ort.Tensor('float32', input, one.shape);
  const outputs = await session.run({ [session.inputNames[0]]: tensor });
  const found = outputs[session.outputNames[0]].data;
  const expected = floats(path.join(folder, `${i}.expected`));
  if (found.length !== expected.length) throw new Error(`${found.length} values found, ${expected.length} expected`);
  const size = expected.length / one.shape[0];
  let others = 0;
  for (let row = 0; row < one.shape[0]; ++row) {
    if (nearest(found, expected, row, size) !== nearest(expected, expected, row, size)) ++others;
  }
  return { share: expected.reduce((most, value, k) => Math.max(most, Math.abs(value - found[k])), 0) / one.tolerance, others };
}

async function main(folder) {
  const cases = JSON.parse(fs.readFileSync(path.join(folder, 'cases.json')));
  let wrong = 0;
  for (const [i, one] of cases.entries()) {
    try {
      const { share, others } = await run(folder, i, one);
      const right = share <= 1 && others === 0;
      wrong += right ? 0 : 1;
      console.log(`${right ? 'right' : 'WRONG'}  ${share.toFixed(3)} of what is allowed, ${others} of ${one.shape[0]} `
        + `nearest rows are others  ${one.name}`);
    } catch (error) {
      ++wrong;
      console.log(`FAILED ${one.name}: ${error.message}`);
    }
  }
  console.log(`${cases.length - wrong} of ${cases.length} graphs are right, by onnxruntime `
    + require('onnxruntime-node/package.json').version);
  return wrong === 0 ? 0 : 1;
}

main(process.argv[2]).then((code) => process.exit(code));
