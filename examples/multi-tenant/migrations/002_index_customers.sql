CREATE INDEX invoices_customer ON {{tables.invoices}} (customer);
