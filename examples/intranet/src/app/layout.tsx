import type { Metadata } from "next";
import type { ReactNode } from "react";

import { settings } from "../lib/settings";

export const metadata: Metadata = {
  title: "Intranet",
  metadataBase: new URL(settings.siteUrl),
};

// A nonce is good for one response: pages are rendered on request, never at build time.
export const dynamic = "force-dynamic";

export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
