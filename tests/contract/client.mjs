// OpenMeter's official client for Node, unmodified: what it makes of our answers, as JSON.
import { OpenMeter, isHTTPError } from '@openmeter/sdk'

const [baseUrl, apiKey] = process.argv.slice(2)
const openmeter = new OpenMeter({ baseUrl, apiKey })

const failure = async (call) => {
  try {
    return { unexpected: await call() }
  } catch (error) {
    if (!isHTTPError(error)) throw error
    return {
      status: error.status,
      type: error.type,
      title: error.title,
      detail: error.getField('detail'),
      extensions: error.getField('extensions'),
    }
  }
}

const example = () =>
  openmeter.apps.stripe.createCheckoutSession({
    customer: {
      name: 'ACME, Inc.',
      key: 'my-database-id',
      usageAttribution: {
        subjectKeys: ['my-usage-event-subject'],
      },
    },
    options: {
      successURL: 'https://example.com/success',
      currency: 'USD',
    },
  })

const told = {}
told.opened = [await example(), await example()]
const id = told.opened[0].customerId

told.isDate = told.opened[0].createdAt instanceof Date
told.created = await openmeter.customers.create({ name: 'Slash', key: 'a/ß' })
told.found = await openmeter.customers.get('a/ß')
told.updated = await openmeter.customers.update('a/ß', { name: 'New', key: 'a/ß' })
told.listed = await openmeter.customers.list({ expand: ['subscriptions'], includeDeleted: true, pageSize: 1 })
told.deleted = (await openmeter.customers.delete('a/ß')) ?? null

told.stripe = await openmeter.customers.stripe.get(id)
told.bound = await openmeter.customers.stripe.upsert(id, { stripeCustomerId: told.stripe.stripeCustomerId })
told.portal = await openmeter.customers.stripe.createPortalSession(id, { returnUrl: 'https://example.com/back' })
told.data = await openmeter.customers.apps.list(id)
told.kept = await openmeter.customers.apps.upsert(id, [
  { type: 'stripe', stripeCustomerId: told.stripe.stripeCustomerId },
])

told.apps = await openmeter.apps.list()
const appId = told.apps.items[0].id
told.app = await openmeter.apps.get(appId)
told.renamed = await openmeter.apps.update(appId, { type: 'stripe', name: 'JS', description: 'Mine' })
told.listings = await openmeter.apps.marketplace.list()
told.listing = await openmeter.apps.marketplace.get('stripe')

told.unknown = await failure(() => openmeter.customers.get('nobody'))
told.taken = await failure(() => openmeter.customers.create({ name: 'Other', key: 'my-database-id' }))
told.wrong = await failure(() => openmeter.customers.create({ name: '', key: 'k' }))
told.stranger = await failure(() => new OpenMeter({ baseUrl, apiKey: 'nonsense' }).customers.list())

console.log(JSON.stringify(told))
