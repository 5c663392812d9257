export default function Home() {
  return (
    <main>
      <h1>Intranet</h1>
    </main>
  );
}
