// A bad network: datagrams between a browser and the server go through here, and each is lost with a certain probability.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A number in [0, 1) at each call; the same sequence in each run. */
function makeDice(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Media and its reports; connecting and encrypting take longer than a test when they are lost. */
const isMedia = (datagram) => datagram[0] >= 128 && datagram[0] < 192;

export class Lossy {
  /** loss: probability for each datagram of media, both ways; 0 until it is set. */
  constructor() {
    this.loss = 0;
    this.toServer = { dice: makeDice(1), passed: 0, lost: 0 };
    this.toBrowser = { dice: makeDice(2), passed: 0, lost: 0 };
    this.doors = new Map(); // by the server's port
    this.sockets = new Set();
  }

  isLost(way, datagram) {
    if (!isMedia(datagram) || this.loss === 0)
      return false;
    const lost = way.dice() < this.loss;
    way[lost ? 'lost' : 'passed']++;
    return lost;
  }

  async bind() {
    const socket = createSocket('udp4');
    socket.on('error', () => {}); // whoever is gone gets nothing more
    this.sockets.add(socket);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket;
  }

  /** The port that stands for one of the server's. */
  async portFor(serverPort) {
    if (!this.doors.has(serverPort))
      this.doors.set(serverPort, this.open(serverPort));
    return (await this.doors.get(serverPort)).address().port;
  }

  async open(serverPort) {
    const door = await this.bind();
    const back = new Map(); // one socket for each address of the browser: the server tells them apart
    door.on('message', async (datagram, from) => {
      if (this.isLost(this.toServer, datagram))
        return;
      const key = `${from.address}:${from.port}`;
      if (!back.has(key))
        back.set(key, this.bind().then((socket) => socket.on('message', (answer) => {
          if (!this.isLost(this.toBrowser, answer))
            door.send(answer, from.port, from.address);
        })));
      (await back.get(key)).send(datagram, serverPort, '127.0.0.1');
    });
    return door;
  }

  /** Each candidate of the server, in a description or on its own, is one of ours. */
  async rewrite(text) {
    const found = [...text.matchAll(/candidate:(\S+ \d+ [Uu][Dd][Pp] \d+) 127\.0\.0\.1 (\d+) /g)];
    for (const [whole, head, port] of found)
      text = text.replace(whole, `candidate:${head} 127.0.0.1 ${await this.portFor(Number(port))} `);
    return text;
  }

  /** Before a participant joins: its peer connections go through here. */
  async surround(participant) {
    await participant.page.exposeFunction('throughRelay', (text) => this.rewrite(text));
    await participant.page.evaluate(() => {
      const { setRemoteDescription, addIceCandidate } = RTCPeerConnection.prototype;
      RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
        return setRemoteDescription.call(this, { type: description.type, sdp: await throughRelay(description.sdp) });
      };
      RTCPeerConnection.prototype.addIceCandidate = async function (given) {
        const { candidate, sdpMid, sdpMLineIndex } = given;
        return addIceCandidate.call(this, { candidate: await throughRelay(candidate), sdpMid, sdpMLineIndex });
      };
    });
  }

  close() {
    this.sockets.forEach((socket) => socket.close());
  }
}
