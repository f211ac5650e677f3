// A Vendure server for the tests: SQLite in memory, loopback only, no plug-in but our events.
//
//   VENDURE_HOME=.make/vendure VENDURE_PORT=3999 VENDURE_PASSWORD=… node index.mjs
//
// It prints one JSON line when it is up, and obeys words on its standard input:
//   snapshot   keep the database as it is now
//   reset      put it back as it was kept
// Each is answered with a JSON line. It ends when its standard input does.

import { createHash, timingSafeEqual } from 'node:crypto';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { eventsPlugin } from './events.mjs';

process.env.VENDURE_DISABLE_TELEMETRY = 'true';
const home = resolve(process.env.VENDURE_HOME ?? '.make/vendure');
const require = createRequire(`${home}/package.json`);
const vendure = require('@vendure/core');
const { DataSource } = require('typeorm');
const { version } = require('@vendure/core/package.json');

let lastNumber = 100000;
class OrderNumbers {
  generate() {
    lastNumber += 1;
    return `TR-${lastNumber}`;
  }
}

// By default each request checks its key with bcrypt, a quarter of a second. The keys are 256
// random bits: a plain hash keeps them as well.
const digest = (text) => createHash('sha256').update(text).digest();
const keys = new vendure.RandomBytesApiKeyStrategy({
  lastUsedAtUpdateInterval: '15m',
  hashingStrategy: {
    hash: async (secret) => digest(secret).toString('hex'),
    check: async (secret, kept) => timingSafeEqual(digest(secret), Buffer.from(kept, 'hex')),
  },
});

const paysAtOnce = new vendure.PaymentMethodHandler({
  code: 'pays-at-once',
  description: [{ languageCode: 'en', value: 'Settles payments and refunds at once' }],
  args: {},
  createPayment: (ctx, order, amount) => ({
    amount,
    state: 'Settled',
    transactionId: `paid-${order.code}`,
  }),
  settlePayment: () => ({ success: true }),
  createRefund: () => ({ state: 'Settled', transactionId: 'refunded' }),
});

const config = {
  apiOptions: {
    hostname: '127.0.0.1',
    port: Number(process.env.VENDURE_PORT),
    adminApiPath: 'admin-api',
    shopApiPath: 'shop-api',
  },
  authOptions: {
    tokenMethod: ['bearer', 'api-key'],
    adminApiKeyStrategy: keys,
    superadminCredentials: { identifier: 'tests', password: process.env.VENDURE_PASSWORD },
  },
  dbConnectionOptions: { type: 'sqljs', synchronize: true, autoSave: false },
  logger: new vendure.DefaultLogger({ level: vendure.LogLevel.Error }),
  orderOptions: { orderCodeStrategy: new OrderNumbers() },
  paymentOptions: { paymentMethodHandlers: [paysAtOnce] },
  jobQueueOptions: { pollInterval: 50 },
  plugins: process.env.EVENTS_URL
    ? [eventsPlugin(vendure, process.env.EVENTS_URL, process.env.EVENTS_SECRET)]
    : [],
};

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const app = await vendure.bootstrap(config);
await app.get(vendure.JobQueueService).start();
const database = app.get(DataSource);
let kept = database.sqljsManager.exportDatabase();

const obey = {
  snapshot: () => {
    kept = database.sqljsManager.exportDatabase();
  },
  reset: () => database.sqljsManager.loadDatabase(kept),
};

say({ ready: true, vendure: version, node: process.version });
for await (const word of createInterface({ input: process.stdin })) {
  await obey[word]();
  say({ done: word });
}
await app.close();
process.exit(0);
