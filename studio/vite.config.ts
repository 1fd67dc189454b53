import { defineConfig } from 'vitest/config'

// The built studio is served by the Python server from evenhand/app/static; nothing is loaded from elsewhere (strict CSP).
export default defineConfig({
  base: '/studio/',
  esbuild: { jsx: 'automatic' },
  build: {
    outDir: '../evenhand/app/static',
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Libraries mark server components with a directive that means nothing here.
    rollupOptions: { onwarn: (warning, warn) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning) },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080', '/media': 'http://127.0.0.1:8080' } },
  test: { environment: 'node', css: { include: [/tokens\.css/] }, include: ['src/**/*.test.ts', 'src/**/*.test.tsx'] },
})
