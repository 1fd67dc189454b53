-- Projects have data keys of their own: the app makes one together with the project. See docs/decisions/0014-keys.md.
grant insert on evenhand.data_key to evenhand_app;
