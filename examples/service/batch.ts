// The other thing that workers do: they add up orders, which come as JSON.

export interface Order {
  customer: string;
  items: { price: number; count: number }[];
}

export interface Totals {
  orders: number;
  /** In the order in which the customers came. */
  ofCustomers: Record<string, number>;
}

export function addUp(orders: Order[]): Totals {
  const ofCustomers: Record<string, number> = {};
  for (const { customer, items } of orders) {
    let sum = ofCustomers[customer] ?? 0;
    for (const { price, count } of items) sum += price * count;
    ofCustomers[customer] = sum;
  }
  return { orders: orders.length, ofCustomers };
}

/** About so many bytes of orders, as JSON has them. */
export function someOrders(bytes: number): Order[] {
  const one = (i: number): Order => ({
    customer: `customer ${i % 97}`,
    items: [
      { price: 100 + (i % 900), count: 1 + (i % 7) },
      { price: 5 + (i % 50), count: 2 },
    ],
  });
  return Array.from({ length: Math.max(1, Math.round(bytes / JSON.stringify(one(50)).length)) }, (_, i) => one(i));
}
