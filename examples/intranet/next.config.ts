import type { NextConfig } from "next";

const nextConfig: NextConfig = {
  // server.js with exactly the modules it needs: what Dockerfile.production copies and starts.
  output: "standalone",
  poweredByHeader: false,
  reactStrictMode: true,

  // The intranet shows no foreign pictures: without the optimizer there is nothing to abuse.
  images: {
    unoptimized: true,
  },

  // One rule, every path. The Content-Security-Policy carries a nonce and comes from src/proxy.ts.
  async headers() {
    return [
      {
        source: "/:path*",
        headers: [
          { key: "Strict-Transport-Security", value: "max-age=63072000; includeSubDomains; preload" },
          { key: "X-Frame-Options", value: "DENY" },
          { key: "X-Content-Type-Options", value: "nosniff" },
          { key: "Referrer-Policy", value: "strict-origin-when-cross-origin" },
          { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=()" },
        ],
      },
    ];
  },
};

export default nextConfig;
