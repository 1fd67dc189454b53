-- What the operator's people see under a customer's grant ends with the grant. See docs/decisions/0019-media.md.
alter table evenhand.viewing add column grant_id text collate "C";   -- of access_grant; null for everybody else
