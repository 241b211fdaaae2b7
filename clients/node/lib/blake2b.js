// SPDX-License-Identifier: Apache-2.0
// BLAKE2b-256 (RFC 7693), which names papers: Node's own crypto has the 512-bit one only, and a cut
// of that is another hash. Words of 64 bits are kept as pairs of 32, low one first.

const IV = new Uint32Array([
    0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372, 0x5f1d36f1, 0xa54ff53a,
    0xade682d1, 0x510e527f, 0x2b3e6c1f, 0x9b05688c, 0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19,
]);
const SIGMA = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
const MIX = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
    [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];
const BLOCK = 128;

export class Blake2b256 {
    #h = IV.slice();
    #v = new Uint32Array(32);
    #m = new Uint32Array(32);
    #block = new Uint8Array(BLOCK);
    #filled = 0;
    #count = 0;

    constructor() {
        this.#h[0] ^= 0x01010020; // 32 bytes, no key
    }

    update(bytes) {
        for (let at = 0; at < bytes.length;) {
            if (this.#filled === BLOCK)
                this.#compress(false); // the last block waits for the end
            const n = Math.min(BLOCK - this.#filled, bytes.length - at);
            this.#block.set(bytes.subarray(at, at + n), this.#filled);
            this.#filled += n;
            at += n;
        }
        return this;
    }

    hex() {
        this.#block.fill(0, this.#filled);
        this.#compress(true);
        const out = Buffer.alloc(32);
        for (let i = 0; i < 8; i++)
            out.writeUInt32LE(this.#h[i], 4 * i);
        return out.toString('hex');
    }

    #compress(isLast) {
        const [h, v, m] = [this.#h, this.#v, this.#m];
        const view = new DataView(this.#block.buffer);
        this.#count += this.#filled;
        this.#filled = 0;
        v.set(h);
        v.set(IV, 16);
        v[24] ^= this.#count;
        v[25] ^= Math.floor(this.#count / 2 ** 32);
        if (isLast) {
            v[28] = ~v[28];
            v[29] = ~v[29];
        }
        for (let i = 0; i < 32; i++)
            m[i] = view.getUint32(4 * i, true);
        for (let round = 0; round < 12; round++) {
            const s = SIGMA[round % 10];
            for (let i = 0; i < 8; i++)
                mix(v, m, ...MIX[i], s[2 * i], s[2 * i + 1]);
        }
        for (let i = 0; i < 16; i++)
            h[i] ^= v[i] ^ v[i + 16];
    }
}

function mix(v, m, a, b, c, d, x, y) {
    add(v, a, v, b, m, x);
    turn(v, d, a, 32);
    add(v, c, v, d);
    turn(v, b, c, 24);
    add(v, a, v, b, m, y);
    turn(v, d, a, 16);
    add(v, c, v, d);
    turn(v, b, c, 63);
}

// to = to + p[i] (+ q[j]), as numbers of 64 bits
function add(v, to, p, i, q, j) {
    const low = v[2 * to] + p[2 * i] + (q === undefined ? 0 : q[2 * j]);
    const high = v[2 * to + 1] + p[2 * i + 1] + (q === undefined ? 0 : q[2 * j + 1]);
    v[2 * to] = low;
    v[2 * to + 1] = high + Math.floor(low / 2 ** 32);
}

// to = (to ^ other) turned right by n bits
function turn(v, to, other, n) {
    const low = v[2 * to] ^ v[2 * other];
    const high = v[2 * to + 1] ^ v[2 * other + 1];
    if (n === 32) {
        v[2 * to] = high;
        v[2 * to + 1] = low;
    } else if (n === 63) {
        v[2 * to] = (low << 1) | (high >>> 31);
        v[2 * to + 1] = (high << 1) | (low >>> 31);
    } else {
        v[2 * to] = (low >>> n) | (high << (32 - n));
        v[2 * to + 1] = (high >>> n) | (low << (32 - n));
    }
}
