-- Work that was done elsewhere comes in again with its answers and reviews: the loader adds them, and reads none.
create policy loader on evenhand.answer to evenhand_loader using (org_id = (select ctx.org())) with check (org_id = (select ctx.org()));
create policy loader on evenhand.review to evenhand_loader using (org_id = (select ctx.org())) with check (org_id = (select ctx.org()));
grant insert on evenhand.answer, evenhand.review to evenhand_loader;
