import { defineConfig } from 'vite'

/** The bench page alone; `bench/editor.py` says where the files go. */
export default defineConfig({
  root: new URL('.', import.meta.url).pathname,
  base: './',
  esbuild: { jsx: 'automatic' },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
})
