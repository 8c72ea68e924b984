"""How much a report is to be believed: who sent the mail that carried it, proved from SPF, DKIM and DMARC."""
