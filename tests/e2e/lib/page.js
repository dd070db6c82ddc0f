// Runs in the browser: synthetic cameras and screens, and one participant who uses OpenVidu's own library.
/* global palette, OpenVidu */
(() => {
  let context;
  const audio = () => (context ??= new AudioContext({ sampleRate: 48000 }));

  const settings = { colour: 'red', tone: 440, width: 320, height: 240, frameRate: 15, picture: 'plain' };

  function paintPlain(g, { colour, width, height }, frame) {
    const side = Math.round(height / 8);
    const span = width / 2 - side;
    g.fillStyle = `rgb(${palette[colour].join(',')})`;
    g.fillRect(0, 0, width, height);
    g.fillStyle = `rgb(${palette[colour].map((c) => Math.round(c * 0.9)).join(',')})`;
    g.fillRect(width / 4 + ((frame * 3) % span), (height - side) / 2, side, side);
  }

  const paintPatterns = {
    circle(g, { width, height }, frame) {
      const angle = frame / 12;
      g.beginPath();
      g.arc(width / 2 + (Math.cos(angle) * width) / 6, height / 2 + (Math.sin(angle) * height) / 6, height / 10, 0, 7);
      g.fill();
    },
    bars(g, { width, height }, frame) {
      for (let i = 0; i < 3; i++)
        g.fillRect(width / 4 + ((frame * 2 + (i * width) / 6) % (width / 2)), height / 4, width / 30, height / 2);
    },
    clock(g, { width, height }, frame) {
      g.lineWidth = height / 30;
      g.beginPath();
      g.moveTo(width / 2, height / 2);
      g.lineTo(width / 2 + (Math.sin(frame / 10) * height) / 4, height / 2 - (Math.cos(frame / 10) * height) / 4);
      g.stroke();
    },
    bounce(g, { width, height }, frame) {
      const fall = Math.abs(Math.sin(frame / 8));
      g.fillRect(width / 2 - height / 16, height * (0.7 - 0.4 * fall), height / 8, height / 8);
    },
  };

  function paint(g, options, frame) {
    paintPlain(g, options, frame);
    if (!paintPatterns[options.picture])
      return;
    g.fillStyle = g.strokeStyle = 'rgb(250,250,250)';
    paintPatterns[options.picture](g, options, frame);
  }

  function canvasTrack(options) {
    const canvas = document.createElement('canvas');
    const g = canvas.getContext('2d');
    let frame = 0;
    const draw = () => {
      if (canvas.width !== options.width || canvas.height !== options.height)
        Object.assign(canvas, { width: options.width, height: options.height });
      paint(g, options, frame++);
    };
    draw();
    setInterval(draw, 1000 / options.frameRate);
    return canvas.captureStream(options.frameRate).getVideoTracks()[0];
  }

  function toneTrack(options) {
    const gain = new GainNode(audio(), { gain: 0.2 });
    const tone = new OscillatorNode(audio(), { frequency: options.tone });
    const out = audio().createMediaStreamDestination();
    tone.connect(gain).connect(out);
    tone.start();
    options.setTone = (hertz) => tone.frequency.setValueAtTime(hertz, audio().currentTime);
    return out.stream.getAudioTracks()[0];
  }

  // Once a second, for 100 ms, white picture and a beep, both placed by the audio clock.
  function syncTracks(options) {
    const gain = new GainNode(audio(), { gain: 0 });
    const tone = new OscillatorNode(audio(), { frequency: 1000 });
    const out = audio().createMediaStreamDestination();
    tone.connect(gain).connect(out);
    tone.start();

    const canvas = Object.assign(document.createElement('canvas'), { width: options.width, height: options.height });
    const g = canvas.getContext('2d');
    const track = canvas.captureStream(0).getVideoTracks()[0];
    const step = 1 / options.frameRate;
    let shown = -1;
    let wasWhite = false;
    let beeped = 0;
    setInterval(() => {
      const now = audio().currentTime;
      const second = Math.floor(now) + 1;
      if (second > beeped) {
        beeped = second;
        gain.gain.setValueAtTime(0.5, second);
        gain.gain.setValueAtTime(0, second + 0.1);
      }
      const frame = Math.floor(now / step + 1e-6);
      if (frame === shown)
        return;
      shown = frame;
      const isWhite = now > 1 && now % 1 < 0.1;
      if (isWhite && !wasWhite)
        note('clap', { lateMs: (now % 1) * 1000 });
      wasWhite = isWhite;
      g.fillStyle = isWhite ? 'white' : 'black';
      g.fillRect(0, 0, canvas.width, canvas.height);
      track.requestFrame();
    }, 2);
    return { video: track, audio: out.stream.getAudioTracks()[0] };
  }

  // Every version of the library ends up asking the browser for devices: here they are.
  let synced;
  const videoTrack = () => {
    if (settings.picture !== 'sync')
      return canvasTrack(settings);
    synced ??= syncTracks(settings);
    return synced.video;
  };
  const audioTrack = () => {
    if (settings.picture !== 'sync')
      return toneTrack(settings);
    synced ??= syncTracks(settings);
    return synced.audio;
  };
  const capture = async ({ audio: wantsAudio, video: wantsVideo }) => {
    await audio().resume();
    return new MediaStream([...(wantsVideo ? [videoTrack()] : []), ...(wantsAudio ? [audioTrack()] : [])]);
  };
  navigator.mediaDevices.getUserMedia = (constraints) => capture(constraints);
  navigator.mediaDevices.getDisplayMedia = () => capture({ video: true });

  // By connection: a client of the first era never learns the id that the server gives to its own stream.
  const created = new Map();
  const remotes = new Map();
  const events = [];
  let ov, session, publisher;

  const note = (type, detail = {}) => events.push({ at: Date.now(), type, ...detail });

  function meter(stream) {
    if (!stream || stream.getAudioTracks().length === 0)
      return null;
    const analyser = new AnalyserNode(audio(), { fftSize: 8192, smoothingTimeConstant: 0 });
    audio().createMediaStreamSource(stream).connect(analyser);
    return analyser;
  }

  function screenOf(stream) {
    const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true, playsInline: true });
    video.srcObject = stream;
    document.body.append(video);
    return video;
  }

  function subscribe(stream) {
    const remote = { stream, data: stream.connection.data };
    remotes.set(stream.connection.connectionId, remote);
    remote.subscriber = session.subscribe(stream, 'remotes', (error) => error && note('subscribeFailed', { message: String(error.message ?? error) }));
  }

  function listen(autoSubscribe) {
    session.on('connectionCreated', (e) => note('connectionCreated', { connectionId: e.connection.connectionId }));
    session.on('connectionDestroyed', (e) => note('connectionDestroyed', { connectionId: e.connection.connectionId, reason: e.reason }));
    session.on('streamCreated', (e) => {
      note('streamCreated', {
        streamId: e.stream.streamId, connectionId: e.stream.connection.connectionId,
        typeOfVideo: e.stream.typeOfVideo ?? null, hasAudio: e.stream.hasAudio, hasVideo: e.stream.hasVideo,
      });
      created.set(e.stream.connection.connectionId, e.stream);
      if (autoSubscribe)
        subscribe(e.stream);
    });
    session.on('streamDestroyed', (e) => {
      const { connectionId } = e.stream.connection;
      note('streamDestroyed', { streamId: e.stream.streamId, connectionId, reason: e.reason });
      remotes.delete(connectionId);
      created.delete(connectionId);
    });
    for (const type of ['recordingStarted', 'recordingStopped'])
      session.on(type, (e) => note(type, { id: e.id, name: e.name, reason: e.reason }));
    session.on('connectionPropertyChanged', (e) => note('connectionPropertyChanged', { property: e.changedProperty, value: e.newValue }));
    session.on('sessionDisconnected', (e) => note('sessionDisconnected', { reason: e.reason }));
    session.on('exception', (e) => note('exception', { name: e.name, message: e.message }));
  }

  window.recto = {
    events, settings,
    get session() { return session; },
    get publisher() { return publisher; },

    async join(token, { data = '', subscribe: autoSubscribe = true } = {}) {
      ov = new OpenVidu();
      session = ov.initSession();
      listen(autoSubscribe);
      await session.connect(token, data);
      return session.connection.connectionId;
    },

    // 2.0 and 2.1 settle a failed publish() through the publisher's events too; the promise is enough here.
    async publish({ audio: hasAudio = true, video = true, screen = false, remote = false } = {}) {
      publisher = await new Promise((resolve, reject) => {
        const made = ov.initPublisher('local', {
          audioSource: hasAudio ? undefined : false,
          videoSource: video ? (screen ? 'screen' : undefined) : false,
          publishAudio: hasAudio, publishVideo: video,
          resolution: `${settings.width}x${settings.height}`, frameRate: settings.frameRate,
          insertMode: 'APPEND', mirror: false,
        }, (error) => (error ? reject(error) : resolve(made)));
      });
      if (remote) {
        publisher.subscribeToRemote(true);
        remotes.set(session.connection.connectionId, { stream: publisher.stream });
      }
      await session.publish(publisher);
      return publisher.stream.streamId;
    },

    initLocalRecorder: () => ov.initLocalRecorder(publisher.stream),
    unpublish: () => session.unpublish(publisher),
    leave: () => session.disconnect(),
    subscribeTo: (connectionId) => subscribe(created.get(connectionId)),
    unsubscribe(connectionId) {
      session.unsubscribe(remotes.get(connectionId).subscriber);
      remotes.delete(connectionId);
    },
    mute: ({ audio: active, video }) => {
      if (active !== undefined) publisher.publishAudio(active);
      if (video !== undefined) publisher.publishVideo(video);
    },
    resize: (width, height) => Object.assign(settings, { width, height }),
    setTone: (hertz) => settings.setTone(hertz),
    async swapVideo(changes) {
      Object.assign(settings, changes);
      const sender = publisher.stream.getRTCPeerConnection().getSenders().find((s) => s.track?.kind === 'video');
      await sender.replaceTrack(canvasTrack(settings));
    },

    // What a person at this screen sees and hears of another's stream, or null while nothing has arrived.
    observe(connectionId) {
      const remote = remotes.get(connectionId);
      const stream = remote?.stream.getMediaStream?.();
      if (!stream)
        return null;
      remote.video ??= screenOf(stream);
      remote.meter ??= meter(stream);
      const seen = { width: remote.video.videoWidth, height: remote.video.videoHeight, time: remote.video.currentTime };
      seen.tracks = stream.getTracks().map((t) => t.kind).sort();
      if (seen.width > 0) {
        const canvas = new OffscreenCanvas(16, 12);
        const g = canvas.getContext('2d');
        g.drawImage(remote.video, 0, 0, 16, 12);
        seen.pixel = [...g.getImageData(1, 1, 1, 1).data.slice(0, 3)];
      }
      if (remote.meter) {
        const bins = new Float32Array(remote.meter.frequencyBinCount);
        remote.meter.getFloatFrequencyData(bins);
        const peak = bins.indexOf(Math.max(...bins));
        Object.assign(seen, { hertz: (peak * 48000) / 8192, decibel: bins[peak] });
      }
      return seen;
    },

    dataOf: (connectionId) => remotes.get(connectionId).data,

    // Plays a file from start to end at normal speed and says how far the clock got.
    async play(url) {
      const video = Object.assign(document.createElement('video'), { src: url, muted: true });
      document.body.append(video);
      await new Promise((resolve, reject) => {
        video.onloadedmetadata = resolve;
        video.onerror = () => reject(new Error(`cannot play ${url}: ${video.error?.message}`));
      });
      await video.play();
      await new Promise((resolve, reject) => {
        video.onended = resolve;
        video.onerror = () => reject(new Error(`stopped playing ${url}: ${video.error?.message}`));
      });
      const quality = video.getVideoPlaybackQuality();
      return {
        duration: video.duration, time: video.currentTime, width: video.videoWidth, height: video.videoHeight,
        frames: quality.totalVideoFrames,
      };
    },
  };
})();
