// What a Vendure shop adds so that Tresen hears of changes: a plug-in that posts signed events.
// The format is described in docs/howto/connect-vendure.md.

import { createHmac, randomUUID } from 'node:crypto';

export function eventsPlugin(vendure, url, secret) {
  const { EventBus, Logger, PluginCommonModule, VendurePlugin } = vendure;

  async function post(kind, subject) {
    const body = JSON.stringify({
      id: randomUUID(),
      kind,
      subject: String(subject),
      at: new Date().toISOString(),
    });
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    const headers = {
      'content-type': 'application/json',
      'x-shop-timestamp': timestamp,
      'x-shop-signature': `v1=${signature}`,
    };
    try {
      const answer = await fetch(url, { method: 'POST', headers, body });
      if (!answer.ok) Logger.warn(`${kind}: HTTP ${answer.status}`, 'Events');
    } catch (error) {
      Logger.warn(`${kind}: ${error.message}`, 'Events');
    }
  }

  class EventsPlugin {
    constructor(bus) {
      this.bus = bus;
    }

    onApplicationBootstrap() {
      const on = (type, tell) => this.bus.ofType(type).subscribe(tell);
      on(vendure.ProductEvent, (event) =>
        post(event.type === 'deleted' ? 'product_removed' : 'product_changed', event.product.id));
      on(vendure.ProductVariantEvent, (event) => {
        for (const id of new Set(event.variants.map((variant) => variant.productId))) {
          post('product_changed', id);
        }
      });
      on(vendure.OrderStateTransitionEvent, (event) => post('order_changed', event.order.code));
      on(vendure.PaymentStateTransitionEvent, (event) => {
        if (event.toState === 'Settled') post('order_paid', event.order.code);
      });
      on(vendure.RefundStateTransitionEvent, (event) => post('refund_changed', event.order.code));
    }
  }

  Reflect.defineMetadata('design:paramtypes', [EventBus], EventsPlugin);
  VendurePlugin({ imports: [PluginCommonModule] })(EventsPlugin);
  return EventsPlugin;
}
