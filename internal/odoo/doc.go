// Package odoo reads what Odoo and its module auth_api_key keep of API keys: the
// sections [api_key_*] and [auth_api_key] of its configuration, by the rules of the
// parser that reads them there, and the records in its database.
//
// Whatever else stands in such a file is passed over. A file that Odoo itself
// would refuse is refused here as well: what it means can't be known.
package odoo
